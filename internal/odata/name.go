package odata

import "strings"

// SameName reports whether a name that a caller gave is one of ours. As in Graph, the letters of
// names in paths and query options may be in either case. Ours are ASCII.
func SameName(given, own string) bool {
	return len(given) == len(own) && strings.EqualFold(given, own)
}

// lookUp finds what a table has under a name in letters of either case, and the table's own letters
// of it.
func lookUp[K ~string, T any](table map[K]T, given K) (own K, value T, ok bool) {
	if value, ok = table[given]; ok {
		return given, value, true
	}
	for own, value = range table {
		if SameName(string(given), string(own)) {
			return own, value, true
		}
	}
	var none T
	return "", none, false
}

// ownName is how a list has a name that is given in letters of either case; empty: it has not.
func ownName(list []string, given string) string {
	for _, own := range list {
		if SameName(given, own) {
			return own
		}
	}
	return ""
}

// withoutNamespace is the name of a type of Graph's, which is given with its namespace or with the
// short form of that, graph; false if it has none.
func withoutNamespace(given string) (string, bool) {
	const short = "graph."
	for _, namespace := range []string{GraphNamespace, short} {
		if len(given) > len(namespace) && SameName(given[:len(namespace)], namespace) {
			return given[len(namespace):], true
		}
	}
	return given, false
}
