# Что не в порядке (uzel status, уведомления) и что с этим делать. Имён и телефонов здесь не бывает.

alarm-detail = { $detail }

alarm-pipeline-failed = Обработка остановилась из-за ошибки
alarm-pipeline-failed-next = Полученное принимается и не пропадёт. Перезапустите службу. Если повторится, пересоберите данные: uzel rebuild
alarm-pipeline-stuck = Обработка стоит, хотя ждут { $lag ->
    [one] { $lag } запись
    [few] { $lag } записи
   *[other] { $lag } записей
} журнала
alarm-pipeline-behind = Обработка не успевает: ждут { $lag ->
    [one] { $lag } запись
    [few] { $lag } записи
   *[other] { $lag } записей
} журнала
alarm-pipeline-behind-next = Если идёт загрузка истории, подождите. Иначе посмотрите нагрузку на диск и процессор; если ничего не движется, перезапустите службу
alarm-intake-refused = Приём остановлен: журнал ничего не берёт. Отправителям отвечаем 503, они повторят
alarm-intake-refused-next = Освободите место на диске (граница — free_space_mib в [limits]). Если место есть, диск отказал: перезапустите службу и проверьте журнал, uzel journal verify
alarm-disk-low = На диске осталось { $free_mib } МиБ; при { $mark_mib } МиБ приём остановится
alarm-disk-low-next = Освободите место или задайте срок хранения журнала: journal_days в [keep], что уйдёт — uzel retention
alarm-clock-behind = Часы отстают от времени журнала на { $minutes ->
    [one] { $minutes } минуту
    [few] { $minutes } минуты
   *[other] { $minutes } минут
}
alarm-clock-jumped = Часы прыгнули вперёд на { $minutes ->
    [one] { $minutes } минуту
    [few] { $minutes } минуты
   *[other] { $minutes } минут
}
alarm-clock-jumped-back = Часы прыгнули назад на { $minutes ->
    [one] { $minutes } минуту
    [few] { $minutes } минуты
   *[other] { $minutes } минут
}
alarm-clock-next = Проверьте синхронизацию времени: timedatectl. Сроки и давность считаются по этим часам
alarm-rights-lost = Нет доступа к { $connection }: разрешение отозвано или истекло
alarm-rights-lost-next = Выдайте его снова: uzel connect { $connection }
alarm-sink-refuses = { $sink } не пускает нас: дело в настройках или правах
alarm-sink-refuses-next = Проверьте адрес и права подключения { $sink }. Ничего не потеряно: ждёт в очереди, uzel outbox list --sink { $sink }
alarm-sink-stopped = { $sink } не отвечает, ничего не передаётся
alarm-sink-stopped-next = Проверьте, работает ли { $sink }. Пробуем сами; ничего не потеряно: ждёт в очереди, uzel outbox list --sink { $sink }
alarm-dead-letters = { $sink } не принимает { $count ->
    [one] { $count } объект
    [few] { $count } объекта
   *[other] { $count } объектов
}: нужен человек
alarm-dead-letters-next = Посмотрите причины: uzel outbox list --sink { $sink } --state dead. Исправив, отправьте снова: uzel outbox resend
alarm-quarantine = { $count ->
    [one] За сутки в карантин попала { $count } запись
    [few] За сутки в карантин попало { $count } записи
   *[other] За сутки в карантин попало { $count } записей
}
alarm-quarantine-many = За сутки в карантин попало { $count } записей или больше
alarm-quarantine-next = Посмотрите причины: uzel quarantine list. Исправив описание, повторите: uzel quarantine retry
alarm-source-unread = { $connection } не читается
alarm-source-unread-next = Посмотрите причину: uzel source list. Пропущенное прочтётся само, когда { $connection } ответит
alarm-source-silent = { $connection } молчит: { $hours ->
    [one] { $hours } час
    [few] { $hours } часа
   *[other] { $hours } часов
} нет данных
alarm-source-silent-next = Отправьте проверочную заявку или посмотрите, что на той стороне. Если так и должно быть, измените silence_h у { $connection }
alarm-folder-unreadable = Папка подключения { $connection } не читается
alarm-folder-unreadable-next = Проверьте, что папка есть и служба может её читать: uzel folder list
alarm-snapshot-old = Снимок данных давно не делался
alarm-snapshot-damaged = Снимок { $file } повреждён
alarm-snapshot-next = Сделайте снимок: uzel snapshot make. Проверить все: uzel snapshot verify
alarm-backup-old = Резервной копии { $days ->
    [one] { $days } день
    [few] { $days } дня
   *[other] { $days } дней
} или её нет совсем
alarm-backup-old-next = Сделайте копию на другой диск: uzel backup make
alarm-notify-failed = Уведомления не уходят: { $channel }
alarm-notify-failed-next = Проверьте настройки [notify] и отправьте пробное: uzel notify test
alarm-heartbeat-failed = Служба наблюдения не принимает наш сигнал
alarm-heartbeat-failed-next = Проверьте адрес в [heartbeat]
alarm-employee-ids = В { $connection } нет { $count ->
    [one] { $count } сотрудника
   *[other] { $count } сотрудников
} из rules/employees.toml, или они там уволены: обращения им не попадают
alarm-employee-ids-next = Посмотрите, кто это: uzel employees. Исправьте ids в rules/employees.toml или впишите последний день работы
alarm-tasks-overdue = Просрочено { $count ->
    [one] { $count } задача
    [few] { $count } задачи
   *[other] { $count } задач
}
alarm-tasks-overdue-next = Посмотрите: uzel task list --state overdue
alarm-certificate-none = Сертификата HTTPS нет: формы, 1С и браузеры не могут подключиться
alarm-certificate-ended = Сертификат HTTPS истёк: формы, 1С и браузеры отказываются подключаться
alarm-certificate-ends-today = Сертификат HTTPS истекает меньше чем через сутки
alarm-certificate-ends = Сертификат HTTPS истекает через { $days ->
    [one] { $days } день
    [few] { $days } дня
   *[other] { $days } дней
}
alarm-certificate-failed = Новый сертификат HTTPS получить не удаётся; нынешний действует ещё { $days ->
    [one] { $days } день
    [few] { $days } дня
   *[other] { $days } дней
}
alarm-certificate-ordered-next = Узел заказывает его сам и пробует снова. Причина — в uzel status; устранив её, попробуйте сразу: systemctl reload uzel
alarm-certificate-files-next = Положите новый на место прежнего: файлы certificate и key в [listen.tls]. Узел возьмёт их сам
alarm-relay-stopped = Реле { $host } не отвечает: принятое им не приходит
alarm-relay-stopped-next = Ничего не потеряно: принятое лежит на реле, Узел пробует снова. Посмотрите на той машине uzel relay status и связь с ней
alarm-relay-refuses = С реле { $host } ничего не забрать: нужен человек
alarm-relay-refuses-next = Что именно сделать, сказано в uzel relay status. Ничего не потеряно: принятое лежит на реле
alarm-relay-behind = На реле { $host } { $waiting ->
    [one] ждёт { $waiting } сообщение
    [few] ждут { $waiting } сообщения
   *[other] ждут { $waiting } сообщений
}: забирать не успеваем
alarm-relay-behind-next = Проверьте связь с реле, нагрузку на эту машину и место на диске реле: uzel relay status на обеих
alarm-relay-lost = Часть принятого реле { $host } могла не дойти
alarm-relay-lost-next = Что и откуда вернуть, сказано в uzel relay status. Разобравшись, перезапустите службу: этот пункт уйдёт
alarm-words-missing = В { $sink } нет { $count ->
    [one] { $count } названия
   *[other] { $count } названий
} этапов, воронок или источников, которые приходят к нам: эти поля не передаются, сделки встают на первый этап
alarm-words-missing-next = Назовите их в CRM так же или впишите пары в mappings/{ $connector }/*.out.toml (копия — в папке службы). Названия из CRM перечитываются раз в 10 минут
alarm-words-missing-list = Не передано: { $list }
