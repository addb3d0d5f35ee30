## connector: manifests
connector-twice = «{ $what }» объявлено дважды. Уберите одно из двух.
connector-slug = «{ $text }» — не короткое имя. Годятся до 24 знаков из a-z, 0-9, _ и -.
connector-slot = «${ $word }» здесь стоять не может; может быть, «${ $near }»?
connector-slot-list = «${ $word }» здесь стоять не может. Здесь известны: { $known }.
connector-brace = в пути «{ $text }» есть «{"{"}» без своей «{"}"}». Закройте её.
connector-setting = настройки «{ $word }» нет; может быть, «{ $near }»?
connector-setting-list = настройки «{ $word }» нет. Объявите её в [[setting]]; объявлены: { $known }.
connector-status = статус — это число от 100 до 599 или класс вида "5xx". Исправьте список.
connector-find-origin = сказано, что объект можно найти (findable), но ни один [[sink.object.find]] не ищет by = "origin". Добавьте такой или напишите create_kind = "neither".
connector-multi-get = поля с несколькими значениями перед изменением сверяются с тем, что хранит система. Добавьте get = {"{"} path = ..., record = ... {"}"}.
connector-next-start = следующие страницы запрашиваются через «$start». Добавьте его в тело запроса или уберите «next».
