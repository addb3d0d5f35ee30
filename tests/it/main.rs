//! One integration binary: a file per subject.

mod connector;
mod outbox;
mod sink;
mod sink_bitrix24;
mod sink_script;
