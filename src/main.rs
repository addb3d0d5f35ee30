//! The `uzel` command.

fn main() -> std::process::ExitCode {
    uzel::cli::main()
}
