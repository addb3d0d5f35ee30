## Внешняя сторона: TLS, сертификаты, ACME

http-tls = TLS не запускается: { $cause }. Сообщите нам об этой ошибке.
http-wants-tls = Здесь принимают только по HTTPS. Замените в адресе «http://» на «https://» и отправьте ещё раз.

certificate-file = файл { $path } не читается: { $cause }. Проверьте путь и права: файл должен быть доступен тому, от чьего имени работает uzel.
certificate-large = файл { $path } больше { $max } байт: это не сертификат. Укажите файл PEM.
certificate-none = в файле { $path } нет сертификата. Нужен PEM со строкой BEGIN CERTIFICATE: сначала сертификат сайта, за ним промежуточные.
certificate-unreadable = сертификат в файле { $path } повреждён. Возьмите его заново у того, кто его выдал.
certificate-no-key = в файле { $path } нет ключа, который можно прочитать. Нужен PEM без пароля со строкой BEGIN PRIVATE KEY (RSA от 2048 бит, ECDSA P-256 или P-384, Ed25519).
certificate-wrong-key = ключ { $path } — не от сертификата { $certificate }. Укажите пару из одного выпуска.
certificate-expired = новый сертификат { $path } уже истёк ({ $date }); работает прежний. Положите действующий.
certificate-run-out = сертификат { $path } истёк: сайты и 1С его не принимают. Замените файлы; перезапуск не нужен.
certificate-folder = в папку { $path } не удаётся записать: { $cause }. Проверьте место и права.

acme-failed = сертификат не получен у { $directory }: { $detail }. Проверьте, что эта машина выходит в интернет и адрес directory верен.
acme-slow = сертификат не получен: { $directory } не справился за { $seconds } с. Следующая попытка будет сама.
acme-waits = прошлые попытки получить сертификат не удались ({ $failed }). Попробовать сейчас: systemctl reload uzel.
acme-no-challenge = { $directory } не предлагает выбранный способ проверки. Смените challenge в [listen.acme].
acme-unseen-http = имена { $domains } не подтверждены. { $detail } Проверьте, что имя указывает на эту машину, а порт 80 снаружи ведёт на plain_address.
acme-unseen-tls = имена { $domains } не подтверждены. { $detail } Проверьте, что имя указывает на эту машину, а порт 443 снаружи ведёт прямо на address, без другого веб-сервера.
acme-no-pair = { $directory } прислал то, что не подходит к нашему ключу. Следующая попытка будет сама; если повторится, сообщите нам.

config-plain-without-tls = «plain_address» нужен только рядом с HTTPS. Добавьте [listen.tls] или [listen.acme] либо уберите его: обычный HTTP принимает address.
config-tls-both = есть и [listen.tls], и [listen.acme]. Оставьте что-то одно.
config-tls-half = не хватает «{ $name }»: в [listen.tls] нужны оба файла, certificate и key.
config-acme-domains = не хватает «domains»: имена, на которые нужен сертификат, например domains = ["in.company.ru"].
config-acme-domain = «{ $name }» — не имя сайта. Напишите, например: in.company.ru (без https://, без *; кириллицу — в виде xn--…), не больше 50 имён.
config-acme-directory = «{ $url }» — не адрес центра сертификации. Он начинается с https://; без этой строки берётся Let's Encrypt.
config-acme-terms = без вашего согласия сертификат не заказать. Прочитайте условия центра ({ $directory }, поле termsOfService) и напишите: agree_to_terms = true
config-acme-plain = для проверки http-01 нужен plain_address = "0.0.0.0:80" в [listen]. Задайте его или выберите challenge = "tls-alpn-01".

cli-certificate-until = до { $date } ({ $days ->
    [one] { $days } день
    [few] { $days } дня
   *[other] { $days } дней
})
cli-certificate-none = ещё нет
