## base: ids and words that every module uses
id-bad = «{ $text }» не похоже на идентификатор; он выглядит так: { $prefix }0000000004000. Возьмите его из списка.
id-bad-item-ref = «{ $text }» — не место в журнале; пишите ПОЗИЦИЯ или ПОЗИЦИЯ.ЗАПИСЬ, например 17 или 17.2
entry-damaged = запись { $kind } повреждена: её байты не читаются. Выполните `uzel journal verify` и восстановите сегмент из копии.
entry-newer = запись { $kind } имеет версию { $version }: её сделал более новый uzel. Обновите программу.

## field: files that people write
toml-syntax = это не TOML: { $detail }. Исправьте строку.
toml-kind = значение «{ $name }» должно быть вида { $want }, а здесь { $got }. Напишите значение вида { $want }.
toml-range = «{ $name }» равно { $got }, а должно быть от { $low } до { $high }.
toml-missing = нет «{ $name }». Добавьте его в эту таблицу.
toml-unknown = «{ $word }» здесь неизвестно; может быть, «{ $near }»?
toml-unknown-list = «{ $word }» здесь неизвестно. Известны: { $known }.
toml-choice = «{ $name }» не может быть «{ $word }»; может быть, «{ $near }»?
toml-choice-list = «{ $name }» не может быть «{ $word }». Выберите одно из: { $known }.
field-missing = нет настройки «{ $name }». Добавьте её, например: { $name } = "{ $example }".
field-wrong = настройка «{ $name }» не подходит. Она выглядит так: { $example }.
