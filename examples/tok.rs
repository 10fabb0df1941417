use std::io::BufRead;
fn main(){ for l in std::io::stdin().lock().lines(){ let l=l.unwrap(); let (id,s)=l.split_once('\t').unwrap_or(("",&l)); let m=evalrun::text::morpheme::analyze(s);
 println!("{id}\t{}", m.iter().map(|w| format!("{}/{:?}{}",w.surface(s),w.pos(),if w.known{""}else{"?"})).collect::<Vec<_>>().join(" ")); }}
