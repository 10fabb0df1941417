//! Unpacks the embedded dictionary, so that the program can use it in place: no copy, no start-up cost.

use std::io::Read;
use std::path::PathBuf;

const PACKED: &str = "assets/ipadic.dic.zst";

fn main() {
    println!("cargo::rerun-if-changed={PACKED}");
    println!("cargo::rerun-if-changed=build.rs");
    let packed = std::fs::read(PACKED).expect("the repository has the packed dictionary");
    let mut unpacked = Vec::new();
    let mut decoder = ruzstd::decoding::StreamingDecoder::new(packed.as_slice()).expect("a zstd file");
    decoder.read_to_end(&mut unpacked).expect("a whole zstd file");
    let target = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("ipadic.dic");
    std::fs::write(target, unpacked).expect("OUT_DIR can be written");
}
