use evalrun::{item::Item, property::*, score::*};
fn main(){
  let a:Vec<String>=std::env::args().collect();
  let require=Requirements::default();
  let p=Property::ALL.into_iter().find(|p|p.name()==a[1]).unwrap();
  let items:Vec<Item>=std::fs::read_to_string(&a[2]).unwrap().lines().map(|l|serde_json::from_str(l).unwrap()).collect();
  for _ in 0..a[3].parse::<usize>().unwrap() { for item in &items {
   std::hint::black_box(score(p,&Subject::new(&item.output, item.source.as_ref(), None, &require, jiff::civil::date(2026,1,1))));
  }}}
