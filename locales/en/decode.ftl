## decode

## value: paths of mappings and manifests
value-path-empty = the path is empty. Write where the value stands, for example Контрагенты.Контрагент.ИНН; a single dot means the whole record.
value-path-name = a name is missing in the path "{ $path }" at column { $column }. Write a name there, or remove the extra dot.
value-path-unexpected = "{ $found }" cannot stand in the path "{ $path }" at column { $column }. A name with spaces, dots or brackets is written in double quotes.
value-path-index = the brackets in the path "{ $path }" at column { $column } hold neither a number nor a condition. Write [0], [*] or [name=text].
value-path-unclosed = a bracket in the path "{ $path }" is not closed. Add ] at column { $column }.
value-path-filter = the condition in the path "{ $path }" has no "=" at column { $column }. Write [name=text].
value-path-unquoted = the quote in the path "{ $path }" at column { $column } is not closed. Add the second quote.
