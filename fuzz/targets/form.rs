//! `decode::form`, and the choice among the formats of a submission.
#![no_main]

use uzel::decode;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    uzel_fuzz::check(decode::form::decode(bytes, None));
    uzel_fuzz::check(decode::form::decode(bytes, Some("windows-1251")));
    uzel_fuzz::check(decode::form::decode_lines(bytes, None));
    uzel_fuzz::check(decode::submission("", bytes));
});
