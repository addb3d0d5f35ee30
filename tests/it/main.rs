//! One integration binary: one link instead of many.

mod form;
mod http;
mod http_bounds;
mod http_support;
