# Tokens of foreign systems, and hints from them.
oauth-not-connected = the connection "{ $connection }" has no tokens yet. Run `uzel connect { $connection }` and agree in the foreign system.
oauth-lost = the foreign system takes no token of the connection "{ $connection }" any more ({ $detail }). Nothing is lost: what it has to be told waits. Run `uzel connect { $connection }` and agree again.
oauth-answer = the token server answered { $status }, { $code }
oauth-client = the token server does not know the application of "{ $connection }" ({ $code }). Compare client_id and client_secret with the application's card, and see that the application is still installed.
oauth-unpaid = the application of "{ $connection }" is not paid for ({ $code }). Renew the payment or the plan in the foreign system; work goes on by itself then.
oauth-state = this address was not given out by us, or it is older than an hour, or it was used already. Run `uzel connect` again and open the new address.
oauth-code = the code is not taken ({ $detail }): it lives half a minute and works once. Run `uzel connect` again.
oauth-done = Connected: { $connection }. This page may be closed.
oauth-no-connection = the connection "{ $connection }" does not work by tokens. Fill the settings of the application (portal, client_id, client_secret), see the guide of its connector; then start uzel again.
hint-forbidden = the sender of this message is not known to the connection "{ $connection }". Put the application token of the outgoing webhook into the setting application_token.
app-secret-unknown = no connection has a secret called "{ $name }". Known: { $known }.
app-secret-empty = nothing was given for "{ $name }". Send the value to the standard input: uzel secret set { $name } < file
