## twin
twin-cannot-listen = двойник не может слушать { $addr }. Выберите другой адрес или остановите того, кто его занял.
twin-state-unreadable = файл состояния { $file } не открывается. Проверьте путь и права.
twin-state-unwritable = файл состояния { $file } не записывается. Проверьте права на папку и свободное место.
twin-state-format = { $file }:{ $line }: это не состояние двойника. Уберите файл или укажите другой.

## twin: a 1C base as client of the exchange
twin-exchange-transport = 1С не получила ответа целиком. Проверьте адрес и работает ли сайт.
twin-exchange-status = сайт ответил { $status }; 1С всегда ждёт 200. Посмотрите журнал сайта.
twin-exchange-empty = ответ сайта пуст. Посмотрите журнал сайта.
twin-exchange-not-authorised = checkauth не успешен: { $reply }. Проверьте логин и пароль.
twin-exchange-bad-init = init не читается: { $reply }. УТ 11 ждёт ровно две строки, zip= и file_limit=, без перевода строки в конце.
twin-exchange-file-refused = сайт не принял файл { $file }: { $reply }. Посмотрите журнал сайта.
twin-exchange-import-refused = импорт файла { $file } не удался: { $reply }. Посмотрите журнал сайта.
twin-exchange-import-unknown = импорт файла { $file } вернул неизвестное состояние: { $reply }. Первая строка должна быть success, progress или failure.
twin-exchange-import-endless = импорт файла { $file } отвечает progress после { $polls } запросов. Посмотрите журнал сайта.
twin-exchange-orders-unreadable = заказы сайта не читаются: { $reply }. Они должны начинаться с PK или <?xml.
twin-exchange-confirmation-refused = сайт отклонил mode=success: { $reply }. Посмотрите журнал сайта.
twin-exchange-archive = архив не упаковывается. Проверьте имена файлов.

## twin: sites that send forms
twin-form-not-sent = форма не отправлена или ответ пришёл не целиком. Проверьте адрес и работает ли приёмник.
