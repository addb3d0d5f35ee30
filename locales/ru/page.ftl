## page: the head of sales
page-title = Сделки по приоритету
page-other-language = In English
page-moment = { $day } { $month ->
    [1] января
    [2] февраля
    [3] марта
    [4] апреля
    [5] мая
    [6] июня
    [7] июля
    [8] августа
    [9] сентября
    [10] октября
    [11] ноября
   *[12] декабря
} { $year }, { $time }
page-day = { $day } { $month ->
    [1] января
    [2] февраля
    [3] марта
    [4] апреля
    [5] мая
    [6] июня
    [7] июля
    [8] августа
    [9] сентября
    [10] октября
    [11] ноября
   *[12] декабря
}, { $time }
page-today = сегодня, { $time }
page-since = с
page-health = Связи
page-all-well = Связи работают
page-forecast = Прогноз
page-forecast-hint = цена × вероятность, без сделок, почти потерянных
page-all = Все открытые сделки
page-all-hint = вместе с почти потерянными
page-deals = { $count ->
    [one] { $shown } сделка
    [few] { $shown } сделки
   *[many] { $shown } сделок
}
page-largest = { $percent } % всей суммы — в одной сделке
page-unpriced = { $count ->
    [one] { $shown } сделка без суммы
    [few] { $shown } сделки без суммы
   *[many] { $shown } сделок без суммы
}
page-others = в другой валюте: { $sums } ({ $deals })
page-left-out = Здесь учтены { $max } сделок: больше не поместилось
page-counting = Сделки пересчитываются после запуска, прочитано { $shown }. Страница обновится сама.
page-tasks = Ждут звонка или ответа
page-tasks-title = Что ждёт
page-tasks-open = { $count ->
    [one] { $shown } задача
    [few] { $shown } задачи
   *[many] { $shown } задач
}
page-tasks-late = { $open }, просрочено { $late }
page-tasks-all = Все задачи
page-no-tasks = Никто не ждёт: открытых задач нет.
page-late-minutes = просрочена на { $shown } мин
page-late-hours = просрочена на { $shown } ч
page-late-days = { $count ->
    [one] просрочена на { $shown } день
    [few] просрочена на { $shown } дня
   *[many] просрочена на { $shown } дней
}
page-classes = По классам
page-class = Класс
page-class-a = крупные: ведёт руководитель
page-class-b = под контролем
page-class-c = обычные
page-class-c1 = новые клиенты
page-class-c2 = были A или B
page-class-d = вероятность ниже обычной
page-class-e = отложены или почти потеряны
page-class-f = не клиенты, отказались
page-count = Сделок
page-value = Сумма
page-people = По ответственным
page-people-more = { $count ->
    [one] и ещё { $shown } ответственный
    [few] и ещё { $shown } ответственных
   *[many] и ещё { $shown } ответственных
}
page-responsible = Ответственный
page-nobody = Без ответственного
page-list = Сделки
page-only = Только:
page-only-class = класс { $class }
page-only-forecast = в прогнозе
page-only-unpriced = без суммы
page-only-currency = в другой валюте
page-widen = Убрать это условие
page-range = { $from }–{ $to } из { $of }
page-deal = Клиент и сделка
page-reason = Главная причина
page-stage = Этап и сколько в нём
page-sum = { $price } × { $probability } %
page-no-price = без суммы, { $probability } %
page-days = { $count ->
    [0] сегодня
    [one] { $shown } день
    [few] { $shown } дня
   *[many] { $shown } дней
}
page-no-deals = Открытых сделок пока нет. Они появятся с первой заявкой с сайта, из 1С или из CRM. Если заявки идут, а здесь пусто, попросите администратора проверить связи: uzel status.
page-none-fit = Таких сделок нет. Уберите условие, чтобы увидеть остальные.
page-first = В начало
page-next = Дальше
page-back = К сделкам

## page: who may look
page-denied-stranger = Эта страница открывается по личной ссылке.
page-denied-stranger-title = Нужна ссылка
page-denied-stranger-next = Попросите ссылку у администратора. Он получит её командой: uzel page link
page-denied-closed = Ссылка больше не действует: истёк срок, её отозвали или она скопирована не целиком.
page-denied-closed-title = Ссылка не подходит
page-denied-closed-next = Откройте ссылку ещё раз целиком или попросите у администратора новую: uzel page link
page-denied-wait = С вашего адреса слишком много неверных ссылок подряд.
page-denied-wait-title = Подождите минуту
page-denied-wait-next = Подождите минуту и откройте верную ссылку.
page-nothing = Такой страницы нет.
page-nothing-title = Нет такой страницы
page-nothing-next = Проверьте адрес. Сделки по приоритету открываются по адресу «/».
page-failed = Данные не прочитались.
page-failed-title = Страница не собралась
page-failed-next = Обновите страницу через минуту. Если не помогло, администратору нужен журнал службы: там сказано, что случилось.
page-bug = Ошибка в программе.
page-bug-title = Страница не собралась
page-bug-next = Обновите страницу через минуту. Если не помогло, пусть администратор сообщит об ошибке вместе с журналом службы.

## page: links
page-links-too-many = действующих ссылок на страницу уже { $max }. Отзовите лишние: uzel page revoke
page-link-days = ссылка может действовать от 1 до { $max } дней
page-link-unknown = ссылки { $id } нет. Действующие ссылки: uzel page links

## page: the ranking
ranking-place = «{ $text }» — не место в списке сделок. Начните список сначала.

## page: help and tables
cli-page = Страница руководителя отдела продаж: ссылки на неё
cli-page-link = Новая ссылка на страницу; показывается один раз
cli-page-link--days = Сколько дней она действует
cli-page-link--name = Для кого ссылка: чтобы знать, какую отозвать
cli-page-link-example-1 = uzel page link --for "Иванова, руководитель"
cli-page-link-example-2 = uzel page link --days 7
cli-page-links = Действующие ссылки: для кого и до какого дня
cli-page-links-example-1 = uzel page links
cli-page-revoke = Отозвать ссылку: по ней больше ничего не откроется
cli-page-revoke--id = Номер ссылки из uzel page links
cli-page-revoke--all = Отозвать все ссылки
cli-page-revoke-example-1 = uzel page revoke 3
cli-page-revoke-example-2 = uzel page revoke --all
cli-page-made = Ссылка { $id } действует до { $expires }:
cli-page-local = Ссылка откроется только на этом компьютере. Чтобы она открывалась и на других, впишите адрес, по которому сервер виден людям, в uzel.toml: [listen] public_url.
cli-page-revoked = Отозвано ссылок: { $count }
cli-column-link = Номер
cli-column-link-name = Для кого
cli-column-link-made = Выдана
cli-column-link-expires = Действует до

## page: what is wrong
page-wrong-unknown = Не удалось узнать, что со связями
