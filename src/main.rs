//! The `uzel` command.

/// Many small rows are made in one thread and freed in another, which the system's allocator does
/// slowly.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    uzel::cli::main()
}
