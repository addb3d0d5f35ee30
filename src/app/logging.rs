//! Logs: standard error, levels by `UZEL_LOG` (`info` when unset), text or JSON lines.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::prelude::*;

/// Starts logging for this process; a second call changes nothing.
pub fn start(json: bool) {
    let filter = EnvFilter::try_from_env("UZEL_LOG").unwrap_or_else(|_| EnvFilter::new("info,sled=warn"));
    let registry = tracing_subscriber::registry().with(filter);
    // Already started (tests, the demo): the first one stays.
    let _started = match json {
        true => registry.with(tracing_subscriber::fmt::layer().json().with_writer(std::io::stderr)).try_init(),
        false => {
            registry.with(tracing_subscriber::fmt::layer().with_ansi(false).with_writer(std::io::stderr)).try_init()
        }
    };
}
