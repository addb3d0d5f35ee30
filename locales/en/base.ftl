## base: ids and words that every module uses
id-bad = "{ $text }" is not an id; an id looks like { $prefix }0000000004000. Take it from a listing.
id-bad-item-ref = "{ $text }" is not a place in the journal; write POSITION or POSITION.ITEM, for example 17 or 17.2
entry-damaged = the { $kind } entry is damaged: its bytes do not read. Run `uzel journal verify`, then restore the segment from a backup.
entry-newer = the { $kind } entry is of version { $version }, written by a newer uzel. Update the program.

## field: files that people write
toml-syntax = this is not TOML: { $detail }. Correct the line.
toml-kind = the value "{ $name }" must be of kind { $want }, and is { $got }. Write a value of kind { $want }.
toml-range = "{ $name }" is { $got }; it must be between { $low } and { $high }.
toml-missing = "{ $name }" is missing. Add it to this table.
toml-unknown = "{ $word }" is not known here; did you mean "{ $near }"?
toml-unknown-list = "{ $word }" is not known here. Known: { $known }.
toml-choice = "{ $name }" cannot be "{ $word }"; did you mean "{ $near }"?
toml-choice-list = "{ $name }" cannot be "{ $word }". Choose one of: { $known }.
field-missing = the setting "{ $name }" is missing. Add it, for example: { $name } = "{ $example }".
field-wrong = the setting "{ $name }" does not fit. It looks like this: { $example }.
