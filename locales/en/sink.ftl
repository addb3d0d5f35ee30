## connector: manifests
connector-twice = "{ $what }" is declared twice. Remove one of the two.
connector-slug = "{ $text }" is not a short name. Use up to 24 of a-z, 0-9, _ and -.
connector-slot = "${ $word }" cannot stand here; did you mean "${ $near }"?
connector-slot-list = "${ $word }" cannot stand here. Known here: { $known }.
connector-brace = the path "{ $text }" has a "{"{"}" without its "{"}"}". Close it.
connector-setting = no setting is called "{ $word }"; did you mean "{ $near }"?
connector-setting-list = no setting is called "{ $word }". Declare it in [[setting]]; declared: { $known }.
connector-status = a status is a number from 100 to 599, or a class such as "5xx". Correct the list.
connector-find-origin = the object is said to be findable, but no [[sink.object.find]] looks by = "origin". Add one, or write create_kind = "neither".
connector-multi-get = fields with several values are compared with what the sink holds before an update. Add get = {"{"} path = ..., record = ... {"}"}.
connector-next-start = the pages after the first are asked for by "$start". Put it into the body, or remove "next".
