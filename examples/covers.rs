use evalrun::{item::Item, property::*, score::*};
fn main(){
  let a:Vec<String>=std::env::args().collect();
  let require=Requirements::default();
  for f in &a[2..] { for line in std::fs::read_to_string(f).unwrap().lines(){ let item:Item=serde_json::from_str(line).unwrap(); let Some(l)=item.labels.clone() else{continue};
   let p=Property::ALL.into_iter().find(|p|p.name()==a[1]).unwrap(); let Some(label)=l.of(p) else{continue};
   let s=score(p,&Subject::new(&item.output, item.source.as_ref(), None, &require, jiff::civil::date(2026,1,1)));
   if (s.verdict==Verdict::Pass)!=label.pass { println!("{} label={} ev={:?} found={:?}",item.id,label.pass,label.spans,s.evidence.iter().map(|e|&e.text).collect::<Vec<_>>()); }
  }}}
