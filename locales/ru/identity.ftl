## identity: problems of the rules file
identity-phone = «{ $word }» — не полный номер телефона. Пишите так: +79161234567.
identity-local-part = «{ $word }» — не часть адреса до @. Пишите так: info
identity-section = нет раздела [{ $name }]. Добавьте его, как во встроенных правилах.

## identity: why a record belongs to a client
identity-by-foreign = известен номер { $id } ({ $kind }) в { $connection }
identity-by-inn = совпал ИНН { $inn }
identity-by-phone = совпал телефон { $contact }
identity-by-email = совпала почта { $contact }
identity-by-messenger = совпала учётная запись { $contact }
identity-by-visitor = тот же браузер, и никто другой в записи не назван
identity-nothing-known = ничего из записи ещё не известно
identity-no-keys = в записи нет ничего, что указывало бы на клиента
identity-other-unit = ИНН тот же, а КПП другой: другое подразделение того же юридического лица
identity-other-name = имена различаются: { $contact } мог перейти к другому человеку. Проверьте клиента.
identity-merges = { $count ->
    [one] запись связывает с ним ещё { $count } клиента; остаётся старейший
   *[other] запись связывает с ним ещё { $count } клиентов; остаётся старейший
}

## identity: why not
identity-shared-listed = { $contact } числится общим и ни на кого не указывает
identity-shared-by-many = { $contact } есть у { $count } клиентов и ни на кого не указывает
identity-not-alone = { $contact } сам по себе по правилам не указывает на клиента
identity-veto-inn = не { $client }: у него другой ИНН
identity-veto-kind = не { $client }: одно — организация, другое — человек
identity-veto-foreign = не { $client }: в { $connection } это два отдельных объекта ({ $kind })
identity-veto-not-same = { $client } и { $other } отмечены как разные
identity-conflict = запись подходит нескольким клиентам, которых нельзя объединять; выберите одного или отметьте их как разных

## identity: what was odd
identity-contacts-full = у клиента больше { $max } контактов; самый старый из самого слабого источника перенесён в прочие поля. Проверьте, не коммутатор ли это и не общий ли ящик.
identity-kpp-differs = КПП отличается от известного: другое подразделение того же юридического лица.
