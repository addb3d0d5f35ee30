## decode

## value: paths of mappings and manifests
value-path-empty = путь пуст. Напишите, где стоит значение, например Контрагенты.Контрагент.ИНН; одна точка означает всю запись.
value-path-name = в пути «{ $path }» не хватает имени (знак { $column }). Напишите там имя или уберите лишнюю точку.
value-path-unexpected = в пути «{ $path }» лишнее «{ $found }» (знак { $column }). Имя с пробелами, точками или скобками пишут в двойных кавычках.
value-path-index = в скобках пути «{ $path }» (знак { $column }) нет ни числа, ни условия. Напишите [0], [*] или [имя=текст].
value-path-unclosed = в пути «{ $path }» не закрыта скобка. Добавьте ] (знак { $column }).
value-path-filter = в условии пути «{ $path }» нет знака «=» (знак { $column }). Напишите [имя=текст].
value-path-unquoted = в пути «{ $path }» не закрыта кавычка (знак { $column }). Добавьте вторую.

## decode: character sets
decode-malformed = часть байтов «{ $field }» — не { $charset }; на их месте знак замены, исходное сохранено. Если это повторяется, задайте кодировку у отправителя.
decode-cdr-row = строка { $line } журнала звонков (CDR) не читается: на своих местах нет времени начала; проверьте, что файл — Master.csv модуля cdr_csv или cdr_custom
decode-charset-differs = «{ $field }» объявлено как { $declared }, а на деле { $charset }; прочитано как { $charset }. Делать ничего не нужно; можно поправить настройку отправителя.

## decode: submissions
decode-json = это тело — не JSON: { $detail }, строка { $line }, знак { $column }. Исправьте отправителя и повторите запись.
decode-number-long = число длиннее, чем можно сохранить точно; последние цифры могут отличаться. Пусть отправитель пишет его в кавычках.
decode-form-fields = в форме больше { $max } полей. Отправляйте меньше полей или несколько форм.
decode-form-depth = в имени поля «{ $field }» больше { $max } скобок. Сократите имя у отправителя.
decode-form-percent = знак процента в «{ $field }» стоит без двух цифр; оставлен как есть.
decode-multipart-boundary = у составного тела нет границы: её нет ни в Content-Type, ни в первой строке. Исправьте Content-Type у отправителя и повторите запись.
decode-multipart-empty = граница из Content-Type не встречается в теле ({ $bytes } байт). Исправьте отправителя и повторите запись.
decode-multipart-headers = у части { $part } формы (байт { $byte }) слишком много заголовков. Исправьте отправителя.
decode-multipart-cut = форма кончилась без последней границы после { $bytes } байт; пришедшее сохранено. Посмотрите, не прервался ли отправитель.
decode-submission-unknown = это тело (Content-Type «{ $type }») — не форма, не JSON и не XML. Настройте отправителя на form-urlencoded или JSON и повторите запись.
decode-type-differs = тело объявлено как { $declared }, а на деле { $found }; прочитано как { $found }.

## decode: XML
decode-xml = это тело не читается как XML: { $detail }, строка { $line }, знак { $column }. Исправьте отправителя и повторите запись.
decode-xml-syntax = ошибка разметки: { $detail }
decode-xml-dtd = в файле объявлены свои сущности, такие файлы не открываются. Уберите DOCTYPE.
decode-xml-depth = вложенность больше { $max }
decode-xml-second = второй корневой элемент «{ $name }»
decode-xml-outside = текст вне корневого элемента
decode-xml-unclosed = элемент «{ $name }» не закрыт
decode-xml-none = в нём нет ни одного элемента

## decode: archives
decode-archive-damaged = { $file }: архив не читается ({ $detail }). Повторите обмен из 1С.
decode-archive-members = { $file }: в архиве больше { $max } файлов. Отправляйте меньше за раз.
decode-archive-nested = { $file }: «{ $member }» — архив в архиве, он не открывается. Упакуйте файлы XML напрямую.
decode-archive-name = { $file }: имя «{ $member }» ведёт за пределы папки; файл не прочитан. Переименуйте его.
decode-archive-encrypted = { $file }: «{ $member }» зашифрован и не прочитан. Упакуйте его без пароля.
decode-archive-method = { $file }: «{ $member }» сжат не методом deflate и не прочитан. Упакуйте его обычным zip.
decode-archive-crc = у файла «{ $member }» не та контрольная сумма, что указана в архиве: он повреждён по дороге. Повторите обмен из 1С.
decode-archive-bomb = файл «{ $member }» распаковывается во много раз больше, чем бывает при обмене; чтение прервано. Если файл настоящий, отправьте его без сжатия (zip=no).

## decode: CommerceML
decode-commerceml-io = { $file }:{ $line }: файл дальше не читается: { $detail }. Повторите обмен из 1С.
decode-commerceml-empty = { $file }: файл пуст. Повторите обмен из 1С.
decode-commerceml-text = { $file }:{ $line }: это не CommerceML: файл начинается с текста, а не с XML. Посмотрите, что записала туда 1С или другой отправитель, и отправьте заново.
decode-commerceml-html = { $file }:{ $line }: это страница HTML, а не CommerceML. Проверьте адрес в настройках обмена 1С и отправьте файл заново.
decode-commerceml-root = { $file }:{ $line }: это не CommerceML: корневой элемент «{ $name }», а не «КоммерческаяИнформация». Выберите в 1С обмен с сайтом и отправьте файл заново.
decode-commerceml-dtd = { $file }:{ $line }: в файле объявлены свои сущности, такие файлы не открываются. Уберите DOCTYPE и отправьте заново.
decode-commerceml-tag = { $file }:{ $line }: здесь испорчен тег; чтение продолжено после него. Найдите в 1С объект, текст которого ломает файл, и повторите обмен.
decode-commerceml-end = { $file }:{ $line }: закрывающий тег не на месте; чтение продолжено после него. Повторите обмен из 1С; если повторится, посмотрите эту строку.
decode-commerceml-depth = { $file }:{ $line }: вложенность элементов больше { $max }; остальное не прочитано. Посмотрите эту строку файла.
decode-commerceml-damaged = { $file }:{ $line }: испорченных мест больше { $max }; остальное не прочитано. Повторите обмен из 1С.
decode-commerceml-cut = { $file }:{ $line }: файл обрывается на середине; пришедшее прочитано. Повторите обмен из 1С.
decode-commerceml-after = { $file }:{ $line }: после конца содержимого файла что-то ещё, оно не прочитано. Повторите обмен из 1С.
decode-commerceml-items = { $file }:{ $line }: записей больше { $max }; остальное не прочитано. Пусть 1С отправляет меньше за раз.
decode-record-large = { $file }:{ $line }: запись «{ $name }» слишком велика и не прочитана. Посмотрите в 1С, что её раздувает (картинка в тексте?), и отправьте заново.
decode-record-unclosed = { $file }:{ $line }: у записи «{ $name }» нет конца, она не прочитана; следующая прочитана. Повторите обмен из 1С.
decode-record-cut = { $file }:{ $line }: файл обрывается посреди записи «{ $name }». Повторите обмен из 1С.
decode-record-xml = { $file }:{ $line }: запись «{ $name }» не читается: { $detail } (знак { $column }). Найдите объект в 1С, уберите из его текстов непечатаемые знаки и отправьте заново.
decode-record-replaced = в записи «{ $name }» (строка { $line }) есть знаки, потерянные ещё до отправки. Проверьте текст в 1С.

## exchange: what 1C and its user are told
exchange-spool = папкой { $folder } для файлов обмена с 1С нельзя пользоваться. Проверьте, что она есть и uzel может туда писать.
exchange-login-wrong = неверный логин или пароль. Проверьте их в настройках обмена 1С.
exchange-login-missing = нужны логин и пароль. Укажите их в настройках обмена 1С.
exchange-login-wait = слишком много неверных входов с этого адреса. Подождите { $seconds } секунд и проверьте логин и пароль в 1С.
exchange-sessions = одновременно идёт больше { $max } обменов. Повторите обмен позже.
exchange-session-closed = обмен слишком долго молчал и закрыт. Начните обмен заново.
exchange-type = обмен «type={ $type }» здесь не обслуживается. Выберите в 1С товары (catalog) или заказы (sale).
exchange-mode = «type={ $type }&mode={ $mode }» здесь не обслуживается. Проверьте вид обмена в 1С.
exchange-method = файл передают методом POST, а не { $method }. Проверьте, что стоит между 1С и uzel.
exchange-file-name = имя файла не принято: оно пустое, слишком длинное или ведёт за пределы папки. Переименуйте файл в 1С.
exchange-files = в одном обмене больше { $max } файлов. Отправляйте меньше за раз.
exchange-chunk-large = часть больше { $max } байт. Задайте в 1С часть поменьше (она берётся из file_limit).
exchange-file-large = файл больше { $max } байт. Разделите выгрузку в 1С.
exchange-no-space = на диске uzel кончилось место. Освободите его и повторите обмен.
exchange-disk = ошибка диска uzel: { $detail }. Повторите обмен; если повторится, посмотрите журнал работы uzel.
exchange-body = часть пришла не целиком: { $detail }. Повторите обмен.
exchange-unknown-file = { $file }: такой файл в этом обмене не передавался. Повторите обмен с начала.
exchange-waiting = ждёт очереди
exchange-applying = готово { $done } из { $total }
exchange-applied = применено: { $count }
exchange-unchanged = без изменений: { $count }
exchange-repeated = уже приходили: { $count }
exchange-filtered = не используются: { $count }
exchange-quarantined = в карантине: { $count }; смотрите `uzel quarantine list`
