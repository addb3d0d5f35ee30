//! `decode::multipart`: the first line is the content type.
#![no_main]

use uzel::decode::multipart;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    uzel_fuzz::check(multipart::decode(bytes, "multipart/form-data"));
    let at = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let content_type = String::from_utf8_lossy(&bytes[..at]);
    uzel_fuzz::check(multipart::decode(bytes.get(at + 1..).unwrap_or_default(), &content_type));
});
