## what-if: replay --diff
whatif-empty = в журнале { $folder } ещё нет конфигурации: ничего не приходило. Запустите узел один раз: uzel run -d { $folder }
whatif-busy = в { $folder } уже работает другой uzel replay --diff. Дождитесь его конца.
whatif-time = «{ $text }» — не время. Напишите 2026-11-22, "2026-11-22 15:00" или 2026-11-22T12:00:00Z.
whatif-removed = журнал начинается с позиции { $first }, и нет исправного снимка, за которым целы все записи. Сделайте снимок: uzel snapshot --help
whatif-begun = Журнал пройден с позиции { $position }: более старые записи убраны, то, что они дали, взято из снимка.
whatif-pushes = { $sink } узнал бы о новых объектах: { $create }, об изменённых: не больше { $update }
whatif-none = Разницы нет: другая конфигурация даёт тех же клиентов, те же сделки, документы и исходы.
whatif-count-clients-new = { $count ->
    [one] появился бы клиент: { $count }
    [few] появились бы клиенты: { $count }
   *[other] появились бы клиенты: { $count }
}
whatif-count-clients-gone = клиентов не было бы: { $count }
whatif-count-clients-merged = клиентов было бы влито в других: { $count }
whatif-count-clients-split = клиентов не было бы влито: { $count }
whatif-count-clients-changed = у клиентов другие поля: { $count }
whatif-count-deals-new = появились бы сделки: { $count }
whatif-count-deals-gone = сделок не было бы: { $count }
whatif-count-deals-class = у сделок другой класс: { $count }
whatif-count-deals-worth = у сделок тот же класс, другая стоимость: { $count }
whatif-count-deals-changed = у сделок другие поля: { $count }
whatif-count-documents-new = появились бы документы: { $count }
whatif-count-documents-gone = документов не было бы: { $count }
whatif-count-documents-changed = у документов другие поля: { $count }
whatif-count-interactions-new = появились бы обращения: { $count }
whatif-count-interactions-gone = обращений не было бы: { $count }
whatif-count-interactions-changed = обращения записаны иначе: { $count }
whatif-count-records = записей с другим исходом: { $count }
whatif-now = Сейчас:
whatif-other = Было бы:
whatif-chart = Открытые сделки по классам: ░ сейчас, █ было бы
whatif-more = и ещё { $count }: --limit
whatif-change-new = появился бы
whatif-change-gone = не было бы
whatif-change-merged = влит
whatif-change-split = не влит
whatif-change-field = поле
whatif-change-class = класс
whatif-change-worth = стоимость
whatif-change-outcome = исход
cli-section-differences = Разница
cli-column-change = Изменение
cli-column-now = Сейчас
cli-column-would = Было бы
cli-replay = Что было бы иначе с другими соответствиями или правилами; ничего не меняется
cli-replay--diff = Показать разницу между действующей конфигурацией и другой
cli-replay--config = Другая папка конфигурации (соответствия, правила, коннекторы, uzel.toml)
cli-replay--mappings = Папка других соответствий: forms/lead.in.toml
cli-replay--rules = Папка других правил: scoring.toml, business.toml
cli-replay--history = Сравнить с хранилищем как есть: каждая запись по конфигурации своего времени
cli-replay--since = Только то, что пришло или изменилось с этого времени: 2026-11-22, "2026-11-22 15:00"
cli-replay--client = Только этот клиент, его сделки, документы и обращения
cli-replay--limit = Сколько строк показать; посчитана будет вся разница
cli-replay-example-1 = uzel replay --diff                     правленые файлы до перезапуска; код 0: разницы нет, 3: есть
cli-replay-example-2 = uzel replay --diff --rules new-rules/   другие правила скоринга или бизнес-правила
cli-replay-example-3 = uzel replay --diff --mappings new/ --client cli_0000000004000
