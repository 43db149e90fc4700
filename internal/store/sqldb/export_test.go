package sqldb

// Storable is what PostgreSQL is given of parameters.
var Storable = storable
