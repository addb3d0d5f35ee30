## journal
