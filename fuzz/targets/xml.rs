//! `decode::xml`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    uzel_fuzz::check(uzel::decode::xml::decode(bytes, None));
});
