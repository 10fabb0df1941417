use evalrun::{item::Item, property::*, score::*};
fn main(){
  let a:Vec<String>=std::env::args().collect();
  let require=Requirements::default();
  for line in std::fs::read_to_string(&a[1]).unwrap().lines(){ let item:Item=serde_json::from_str(line).unwrap(); if item.id!=a[2].as_str(){continue}
   let s=score(Property::ALL.into_iter().find(|p|p.name()==a[3]).unwrap(),&Subject::new(&item.output, item.source.as_ref(), item.prompt.as_deref(), &require, jiff::civil::date(2026,1,1)));
   println!("{:?} {:?} {:?}",s.verdict,s.value,s.reason); let cs:Vec<char>=item.output.chars().collect();
   for e in s.evidence { let (x,y)=e.span.map_or((0,0),|s|(s.start,s.end)); println!("{}..{} {}⟦{}⟧{} {} {:?} {:?} {}",x,y,cs[x.saturating_sub(6)..x].iter().collect::<String>(),e.text,cs[y..(y+6).min(cs.len())].iter().collect::<String>(),e.kind,e.verdict,e.basis,e.why.unwrap_or_default());}
  }}
