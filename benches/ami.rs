//! How fast what Asterisk says becomes calls, against how fast the same bytes are only split into
//! packets. `cargo bench --bench ami`. The goal is half the rate or more.
//!
//! The bytes are those of the captures in `tests/fixtures/asterisk`, over and over under new names, so
//! that every call is a new one. Assembly goes by portions of 200 packets, as the source journals them.

use std::collections::HashMap;
use std::convert::Infallible;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use compact_str::CompactString;
use uzel::assembly::call::{Desk, Fact, Lines, Shelf, Slot, ami};
use uzel::base::{ItemRef, Position, Timestamp};
use uzel::decode::ami::{Splitter, keep};

const TIMES: usize = 60;
const PORTION: usize = 200;
const READ: usize = 16 * 1024;

#[derive(Default)]
struct Memory(HashMap<CompactString, Slot>);

impl Shelf for Memory {
    type Error = Infallible;

    fn take(&mut self, name: &str) -> Result<Option<Slot>, Infallible> {
        Ok(self.0.remove(name))
    }

    fn put(&mut self, name: &str, slot: Slot) -> Result<(), Infallible> {
        self.0.insert(name.into(), slot);
        Ok(())
    }
}

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/asterisk");
    let mut captures = String::new();
    for entry in std::fs::read_dir(folder).expect("the captures are there") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|it| it == "ami") {
            captures.push_str(&String::from_utf8(std::fs::read(path).expect("it reads")).expect("text"));
        }
    }
    let bytes: Vec<u8> =
        (0..TIMES).flat_map(|round| captures.replace("1795298", &format!("179{round:04}")).into_bytes()).collect();
    let megabytes = bytes.len() as f64 / 1e6;
    let mut best = (f64::MAX, f64::MAX);
    for _ in 0..7 {
        let started = Instant::now();
        let packets = split(&bytes);
        let splitting = started.elapsed().as_secs_f64();
        let started = Instant::now();
        let (kept, calls) = assemble(&bytes);
        let assembling = started.elapsed().as_secs_f64();
        best = (best.0.min(splitting), best.1.min(assembling));
        println!(
            "split: {packets} packets, {:.0} MB/s; assembled: {kept} kept, {calls} calls, {:.0} MB/s, {:.0} events/s",
            megabytes / splitting,
            megabytes / assembling,
            packets as f64 / assembling,
        );
    }
    println!("assembled at {:.2} of the rate of splitting", best.0 / best.1);
}

fn split(bytes: &[u8]) -> usize {
    let mut splitter = Splitter::new();
    let mut packets = 0;
    for read in bytes.chunks(READ) {
        splitter.push(read);
        while let Some(packet) = splitter.next_packet() {
            black_box(packet.bytes());
            packets += 1;
        }
    }
    packets
}

fn assemble(bytes: &[u8]) -> (usize, usize) {
    let mut splitter = Splitter::new();
    let mut shelf = Memory::default();
    let (mut kept, mut calls, mut position) = (0, 0, 0);
    let mut portion: Vec<(CompactString, Vec<Fact>)> = Vec::new();
    let mut size = 0;
    let mut done = |portion: &mut Vec<(CompactString, Vec<Fact>)>| {
        position += 1;
        for (item, (_, facts)) in portion.drain(..).enumerate() {
            let record = ItemRef::new(Position(position), item as u32);
            let Ok(ready) = Desk::new(&mut shelf, record, Timestamp(1_795_298_300_000)).take(facts);
            for name in ready {
                let Some(Slot::Call(call)) = shelf.0.get(&name) else { continue };
                calls += usize::from(black_box(call.tell(&Lines::default(), 0)).is_some());
            }
        }
    };
    for read in bytes.chunks(READ) {
        splitter.push(read);
        while let Some(packet) = splitter.next_packet() {
            if !keep::is_kept(&packet, &[]) {
                continue;
            }
            kept += 1;
            if let Some(fact) = ami::fact(&packet, size as u32) {
                match portion.iter_mut().rev().find(|(name, _)| !name.is_empty() && *name == fact.linked) {
                    Some((_, facts)) => facts.push(fact),
                    None => portion.push((fact.linked.clone(), vec![fact])),
                }
            }
            size += 1;
            if size == PORTION {
                done(&mut portion);
                size = 0;
            }
        }
    }
    done(&mut portion);
    (kept, calls)
}
