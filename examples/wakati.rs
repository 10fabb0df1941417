use std::io::Read;
fn main() {
    let mut s = String::new();
    std::io::stdin().read_to_string(&mut s).unwrap();
    let t = std::time::Instant::now();
    let m = evalrun::text::morpheme::analyze(&s);
    eprintln!("{:?} {} bytes", t.elapsed(), s.len());
    let t = std::time::Instant::now();
    for _ in 0..30 {
        evalrun::text::morpheme::analyze(&s);
    }
    eprintln!("warm {:?}", t.elapsed() / 30);
    for x in m {
        println!("{}", x.surface(&s));
    }
}
