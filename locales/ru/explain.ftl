## правки руками, решения сразу о многих, объяснения
edit-nothing = нечего ставить и нечего отпускать. Напишите ПОЛЕ=ЗНАЧЕНИЕ или --release ПОЛЕ.
edit-pair = «{ $text }» — не ПОЛЕ=ЗНАЧЕНИЕ. Напишите, например: inn=7707083893
edit-twice = { $field } написано дважды. Оставьте одно.
edit-field = поле «{ $field }» руками не ставят. Можно: { $known }.
edit-field-near = поле «{ $field }» руками не ставят; может быть, { $near }? Можно: { $known }.
edit-value = { $field }: «{ $value }» не читается как такое значение; ничего не изменено.
edit-set = { $object }: поставлено руками: { $set }. Источники этого не изменят, пока вы не отпустите поле.
edit-released = { $object }: отпущено: { $released }. Значение остаётся, пока источник не скажет своё.
edit-both = { $object }: поставлено руками: { $set }; отпущено: { $released }.
bulk-would = { $count ->
    [one] Это будет сделано для { $count } объекта. Добавьте --yes, чтобы сделать.
    [few] Это будет сделано для { $count } объектов. Добавьте --yes, чтобы сделать.
   *[other] Это будет сделано для { $count } объектов. Добавьте --yes, чтобы сделать.
}
bulk-done = сделано: { $count }
explain-by-person = поставил человек: действует, пока не отпустят
explain-released = ставил человек и отпустил: следующее слово любого источника важнее
explain-newest = у «{ $group }» хозяина нет: важнее новое
explain-not-owned = хозяин «{ $group }» — { $owners }, и он ещё ничего не сказал: важнее новое
explain-owner = { $source } — хозяин «{ $group }»: { $owners }
explain-lost-person = с тех пор поставил человек
explain-lost-owner = меньше прав на «{ $group }»: { $owners }
explain-lost-older = старше
explain-lost-then = тогда действовали другие правила, или с тех пор было объединение или разделение
explain-person = человек
explain-same = Это один клиент.
explain-two = Это два клиента.
explain-nothing-shared = общих телефонов, адресов и ИНН у них нет
explain-first = первая
explain-no-key = её ключей нет у более ранних записей: пришла с влитым клиентом, по решению человека или по прежним соответствиям
explain-left-out = более старых записей не показано: { $count }
cli-section-records-of-client = Его записи и ключи, общие с более ранними
cli-section-ignored = Контакты, которые никого не связывают
cli-section-not-same = По слову человека — не тот же, что
cli-client-edit = Поставить поля руками; они важнее любого источника, пока не отпустите
cli-client-edit--id = Идентификатор клиента
cli-client-edit--set = Поле и значение: inn=7707083893, phone=+79123456789. Поля: name, company, inn, kpp, ogrn, address, responsible, decides, phone, email
cli-client-edit--release = Отпустить поле, поставленное руками: следующее слово источника важнее
cli-client-edit-example-1 = uzel client edit cli_0000000004000 inn=7707083893 "name=Ромашка ООО"
cli-client-edit-example-2 = uzel client edit cli_0000000004000 --release inn
cli-client-why = Почему записи клиента — один клиент: ключи, объединения и разделения, что не учтено
cli-client-why--id = Идентификатор клиента
cli-client-why--other = Другой клиент: один ли это клиент, и почему
cli-client-why-example-1 = uzel client why cli_0000000004000
cli-client-why-example-2 = uzel client why cli_0000000004000 cli_0000000005000
cli-client-where = Откуда каждое значение, по какому правилу оно важнее и что ему уступило
cli-client-where--id = Идентификатор клиента
cli-client-where--field = Только это поле
cli-client-where-example-1 = uzel client where cli_0000000004000 inn
cli-deal-edit = Поставить поля руками; они важнее любого источника, пока не отпустите
cli-deal-edit--id = Идентификатор сделки
cli-deal-edit--set = Поле и значение: price=120000. Поля: title, pipeline, stage, price, source, responsible, comment, product_line, close_date, next_step, deferred
cli-deal-edit--release = Отпустить поле, поставленное руками: следующее слово источника важнее
cli-deal-edit-example-1 = uzel deal edit dl_0000000004000 price=120000 stage=КП
cli-deal-where = Откуда каждое значение, по какому правилу оно важнее и что ему уступило
cli-deal-where--id = Идентификатор сделки
cli-deal-where--field = Только это поле
cli-deal-where-example-1 = uzel deal where dl_0000000004000 price
cli-outbox-resend--all = Всё, что ждёт отправки в это подключение
cli-outbox-resend--dead = Всё отложенное этого подключения
cli-outbox-resend--since = И то, что оно подтвердило с этого времени: CRM вернули из копии
cli-outbox-resend--yes = Сделать; без ключа — только сказать, сколько их
cli-outbox-resend-example-2 = uzel outbox resend bitrix24 --dead --yes
cli-outbox-resend-example-3 = uzel outbox resend bitrix24 --since "2026-11-22 15:00" --yes
cli-quarantine-retry--stream = Записи этого потока: lead или site/lead
cli-quarantine-retry--since = Записи, которые ждут с этого времени или позже
cli-quarantine-retry-example-3 = uzel quarantine retry --stream site/lead --since 2026-11-22
cli-quarantine-discard--all = Все записи в карантине
cli-quarantine-discard--stream = Записи этого потока: lead или site/lead
cli-quarantine-discard--since = Записи, которые ждут с этого времени или позже
cli-quarantine-discard--yes = Сделать; без ключа — только сказать, сколько их
cli-quarantine-discard-example-2 = uzel quarantine discard --stream site/lead --reason test --yes
