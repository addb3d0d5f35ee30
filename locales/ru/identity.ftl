## identity: whose a record is
identity-is-new = новый клиент
identity-is-same = клиент { $client }
identity-is-merge = { $client } и { $others } — один клиент
identity-is-review = это может быть запись клиентов { $clients }, а объединять их нельзя: посмотрите и объедините сами или оставьте
identity-no-keys = в записи нет ничего, по чему можно найти клиента
identity-nobody = ни один клиент не подходит к тому, что сказано в записи
identity-same-foreign = у { $client } та же карточка: { $kind } { $id }
identity-same-inn = у { $client } тот же ИНН { $inn }
identity-same-contact = у { $client } тот же контакт { $contact }
identity-shared-phone = номер { $contact } в списке номеров, по которым никого не узнают (rules/identity.toml, shared.phones)
identity-shared-email = адрес { $contact } в списке адресов, по которым никого не узнают (rules/identity.toml, shared.emails)
identity-shared-local-part = { $contact } — ящик целой компании (rules/identity.toml, shared.local_parts)
identity-weak = у { $client } общий с записью контакт, но по одному такому контакту никого не узнают (rules/identity.toml, alone)
identity-veto-card = не { $client }: у него другая карточка { $kind } в { $connection }
identity-veto-inn = не { $client }: у него другой ИНН
identity-veto-kind = не { $client }: одно — человек, другое — компания
identity-veto-names = не { $client }: контакт тот же, а названия компаний разные. Если это одна компания, объедините их.
identity-pair-not-same = { $left } и { $right } не объединены: человек сказал, что это разные клиенты
identity-pair-inn = { $left } и { $right } не объединены: у них разные ИНН
identity-pair-cards = { $left } и { $right } не объединены: это две карточки одной системы
identity-pair-kind = { $left } и { $right } не объединены: одно — человек, другое — компания
identity-pair-names = { $left } и { $right } не объединены: названия компаний разные
identity-chosen-strongest = { $client }: на него указывает самый надёжный признак
identity-chosen-unit = { $client }: КПП тот же
identity-chosen-name = { $client }: имя то же
identity-chosen-person = { $client }: о компании в записи не сказано, а это человек
identity-chosen-oldest = { $client }: различить их не по чему, этот самый старый
identity-other-unit = КПП { $told } — другого подразделения того же юрлица; у клиента остаётся { $held }. Если клиент переехал, исправьте КПП в его карточке.
identity-contacts-full = у клиента { $max } контактов, больше нельзя; самый слабый отложен в прочие поля. Проверьте, не объединены ли по ошибке разные клиенты.

## identity: its rules
identity-rules-local-part = «{ $text }» не похоже на часть адреса до @. Пишите без @ и пробелов, например "info".
identity-rules-email = «{ $text }» — не адрес. Пишите его целиком, например "no@no.ru".
identity-rules-phone = «{ $text }» — не номер. Пишите + и от 7 до 15 цифр, например "+74950000000".
identity-rules-card = вид карточки пуст. Назовите его так же, как в сопоставлениях, например "contact".
