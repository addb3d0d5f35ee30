//! How fast a file of the 1C exchange becomes records: orders as UT 11 writes them, in UTF-8 and in
//! windows-1251. `cargo bench --bench commerceml`.

use std::hint::black_box;
use std::io::Cursor;
use std::time::Instant;

use uzel::decode::commerceml::{Content, open};

fn main() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/commerceml/ut11-orders-2.07.xml");
    let fixture = std::fs::read_to_string(path).expect("the fixture is there");
    let start = fixture.find("\t<Документ>").expect("an order");
    let end = fixture.rfind("</Коммерческая").expect("the end of the root");
    let text = format!("{}{}{}", &fixture[..start], fixture[start..end].repeat(4_000), &fixture[end..]);
    let cp1251 = encoding_rs::WINDOWS_1251.encode(text.trim_start_matches('\u{feff}')).0.into_owned();
    for (name, body) in [("utf-8", text.into_bytes()), ("windows-1251", cp1251)] {
        for _ in 0..3 {
            let started = Instant::now();
            let mut records = 0;
            for item in open("orders.xml", Cursor::new(&body)) {
                match black_box(item).content {
                    Content::Record(_) => records += 1,
                    Content::Broken(broken) => panic!("{}", broken.message),
                }
            }
            let seconds = started.elapsed().as_secs_f64();
            let megabytes = body.len() as f64 / 1e6;
            println!(
                "{name}: {records} records, {megabytes:.0} MB, {:.0} MB/s, {:.0} records/s",
                megabytes / seconds,
                f64::from(records) / seconds
            );
        }
    }
}
