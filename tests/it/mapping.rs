//! Mappings as data: what the built-in ones make of real records.
