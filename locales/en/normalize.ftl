## normalize
