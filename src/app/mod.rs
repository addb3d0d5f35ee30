//! The composition root: the only place that names concrete implementations.
//!
//! [`Folder`] knows where things are; [`Core`] is journal + store + pipeline over a folder (what
//! the command line needs without a daemon); [`Daemon`] adds the listener, the sinks and the
//! reconcilers; [`demo`] plays a whole day against the twin.

pub mod answers;
pub mod backup;
mod configurations;
mod core;
mod daemon;
pub mod demo;
mod edge;
pub mod erasure;
pub mod error;
mod folder;
mod guess;
mod init;
mod intake;
mod keeping;
mod links;
pub mod logging;
mod looked;
mod pages;
mod pollers;
mod probes;
mod progress;
mod rebuild;
pub mod relay;
mod secrets;
mod service;
mod signals;
mod sinks;
mod sources;
mod twins;
mod what_if;

pub use configurations::ConfigurationFolder;
pub use core::Core;
pub use daemon::{Daemon, interrupted};
pub use folder::Folder;
pub use guess::{Guessed, guess};
pub use init::{Made, MadeAddress, Order, addresses, init};
pub use looked::look;
pub use pollers::Loader;
pub use rebuild::{RebuildReport, Start, rebuild};
pub use secrets::{set_secret, vault_names};
pub use twins::{TwinOrder, TwinRunning, start_bitrix24_twin};
pub use what_if::{Against, OtherFiles, Preview, WhatIf, preview, what_if};
