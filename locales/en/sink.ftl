## sink
