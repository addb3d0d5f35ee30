# Проверка подключений на деле: что видно снаружи и изнутри.

## Что проверяется
probe-check-settings = Настройки
probe-check-reach = Связь
probe-check-let-in = Доступ
probe-check-dictionary = Справочники
probe-check-pipeline = Воронки
probe-check-stage = Этапы сделок
probe-check-lead-stage = Этапы лидов
probe-check-source = Источники
probe-check-user = Сотрудники в CRM
probe-check-employees = Сотрудники в правилах
probe-check-fields = Наши поля
probe-check-quota = Нагрузка
probe-check-secret = Секрет
probe-check-own = Приём
probe-check-public = Адрес снаружи
probe-check-folder = Папка
probe-check-heard = Последнее сообщение

## Внешняя система
probe-reached = { $host } отвечает: имя, соединение, шифрование и HTTP в порядке
probe-reached-plain = { $host } отвечает: имя, соединение и HTTP в порядке; шифрования нет (http)
probe-let-in = нас знают и впускают
probe-not-let-in = { $host } отвечает, но не впускает: { $reason }. Проверьте, что адрес вебхука скопирован целиком и вебхук не удалён; новый отдайте так: uzel init --bitrix24 АДРЕС
probe-not-answered = не узнать, ответ: { $reason }
probe-nothing-asked = коннектор не говорит, о чём спрашивать; проверьте настройки: uzel lint
probe-no-dictionary = справочник { $stream } не читается, ответ: { $reason }. Проверьте права подключения
probe-dictionary-long = справочник { $stream } длинный, показаны первые { $rows } строк
probe-no-others = других не видно
probe-words = { $count }: { $names }
probe-words-of = «{ $of }», { $count }: { $names }
probe-words-gone = { $count }: { $names }; уволены: { $gone }
probe-and-more = { " " }и ещё { $count }
probe-employees-none = никого нет, лиды не распределяются. Начать файл правил: uzel init --employees
probe-employees-known = CRM знает всех: { $count }
probe-employees-strange = { $names }. Исправьте ids в rules/employees.toml
probe-employee-off = { $key } (ид { $id }) в CRM уволен
probe-employee-unknown = { $key }: в CRM нет ид { $id }
probe-fields-there = все на месте: { $there }
probe-fields-missing = есть { $there }, не хватает { $missing }: { $names }. Узел создаст их сам, когда вы примените план
probe-quota = запросов сделано: { $asked }; Узел шлёт не больше { $requests } за { $seconds } с
probe-quota-spent = запросов сделано: { $asked }; Узел шлёт не больше { $requests } за { $seconds } с; самый занятый метод потратил { $spent } с из { $limit } за 10 минут

## Своя сторона
probe-no-daemon = не проверить: служба не запущена. Запустите её (uzel run) и повторите
probe-own-https = не проверить: служба отвечает по HTTPS, а её имя не задано. Впишите public_url в [listen]
probe-own-good = проверочное сообщение принято: адрес, секрет и подпись верны; в журнал оно не попало
probe-own-bad = проверочное сообщение не принято: { $reason }. Перезапустите службу, если меняли секреты или настройки
probe-own-answer = ответ { $status }
probe-public-none = не задан: сюда обращаются только с этой машины. Впишите public_url в [listen] и поставьте перед службой веб-сервер с HTTPS
probe-public-good = { $url } ведёт сюда
probe-public-bad = по { $url } с этой машины сюда не попасть: { $reason }. Проверьте веб-сервер перед службой; иногда адрес открывается только снаружи
probe-folder-readable = { $path } читается, файлов: { $files }
probe-folder-unreadable = { $path } не читается: { $detail }. Создайте папку или дайте права пользователю, от имени которого работает Узел
probe-folder-unwritable = в { $path } нельзя переносить прочитанные файлы. Дайте право записи или поставьте after = "leave"
probe-heard = { $at }, { $days ->
    [0] { $hours ->
        [0] { $minutes ->
            [one] { $minutes } минуту назад
            [few] { $minutes } минуты назад
           *[other] { $minutes } минут назад
        }
        [one] { $hours } час назад
        [few] { $hours } часа назад
       *[other] { $hours } часов назад
    }
    [one] { $days } день назад
    [few] { $days } дня назад
   *[other] { $days } дней назад
}
probe-never-heard = пока ничего не приходило
probe-no-connection = подключения «{ $connection }» нет. Какие есть: uzel status

## Связь
net-reach-dns = имя { $host } не находится (DNS). Проверьте, нет ли опечатки, и работает ли DNS на этой машине
net-reach-tcp = { $host }: порт { $port } не отвечает (TCP): { $detail }. Проверьте, запущена ли система и выпускает ли туда межсетевой экран
net-reach-tls = { $host } отвечает, но зашифрованное соединение не устанавливается (TLS): { $detail }. Проверьте сертификат системы и часы этой машины
net-reach-http = соединение с { $host } есть, а ответа нет (HTTP): { $reason }. Проверьте адрес; если система занята, повторите позже
connector-probe-sink = [[probe]] спрашивает по адресу, правилам и квоте раздела [sink], а его нет. Добавьте [sink] или уберите [[probe]].
