## decode
