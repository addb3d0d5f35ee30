//! The `uzel` command.

fn main() {}
