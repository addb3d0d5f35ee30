## man: pages of the manual and completion of shells
man-manual = Руководство по Узлу
man-name = Имя
man-synopsis = Обзор
man-see = Смотрите также
man-exit = Код завершения
man-exit-1-term = 0
man-exit-1 = Сделано.
man-exit-2-term = 1
man-exit-2 = Не вышло.
man-exit-3-term = 2
man-exit-3 = Команда написана неверно.
man-exit-4-term = 3
man-exit-4 = Найдены ошибки или отличия (lint, journal verify, rebuild --check, replay --diff, probe, init, demo --once).
man-exit-5-term = 4
man-exit-5 = Такого нет.
man-variable = Переменные среды
man-variable-1-term = UZEL_FOLDER
man-variable-1 = Папка службы, если не задан ключ --folder.
man-variable-2-term = UZEL_LANG
man-variable-2 = Язык сообщений: ru или en. Иначе он берётся из LC_ALL, LC_MESSAGES, LANG.
man-variable-3-term = UZEL_LOG
man-variable-3 = Подробность журнала работы: warn, info, debug.
man-variable-4-term = UZEL_РАЗДЕЛ_НАСТРОЙКА
man-variable-4 = Значение настройки вместо того, что стоит в uzel.toml: UZEL_LISTEN_ADDRESS.
man-variable-5-term = UZEL_SECRET_ПОДКЛЮЧЕНИЕ_НАСТРОЙКА
man-variable-5 = Секрет подключения вместо того, что лежит в vault.json.
man-file = Файлы
man-file-1-term = uzel.toml
man-file-1 = Настройки. Этот файл и все остальные лежат в папке службы; обычно это /var/lib/uzel.
man-file-2-term = vault.json
man-file-2 = Секреты; читает только владелец.
man-file-3-term = connectors/, mappings/, rules/
man-file-3 = Свои описания, соответствия и правила вместо встроенных.
man-file-4-term = journal/
man-file-4 = Всё, что пришло, как оно пришло: правда о данных.
man-file-5-term = store/
man-file-5 = Хранилище; его всегда можно построить заново из журнала.
man-file-6-term = snapshots/
man-file-6 = Снимки хранилища.
man-written = { $pages ->
    [one] Написана { $pages } страница: { $folder }
    [few] Написаны { $pages } страницы: { $folder }
   *[other] Написано { $pages } страниц: { $folder }
}
