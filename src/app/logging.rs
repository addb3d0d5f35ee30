//! Logs: standard error, levels by `UZEL_LOG` (`info` when unset), text or JSON lines.
//!
//! Other crates say at most warnings, whatever `UZEL_LOG` asks: in their details sled prints every
//! row and HTTP clients print addresses, and those hold personal data and secrets.

use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::prelude::*;

/// Starts logging for this process; a second call changes nothing.
pub fn start(json: bool) {
    let filter = EnvFilter::try_from_env("UZEL_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let registry = tracing_subscriber::registry().with(filter).with(filter_fn(is_fit_for_a_log));
    // Already started (tests, the demo): the first one stays.
    let _started = match json {
        true => registry.with(tracing_subscriber::fmt::layer().json().with_writer(std::io::stderr)).try_init(),
        false => {
            registry.with(tracing_subscriber::fmt::layer().with_ansi(false).with_writer(std::io::stderr)).try_init()
        }
    };
}

fn is_fit_for_a_log(metadata: &Metadata<'_>) -> bool {
    let is_ours = metadata.target().split("::").next() == Some(env!("CARGO_CRATE_NAME"));
    is_ours || *metadata.level() <= Level::WARN
}
