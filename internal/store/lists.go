package store

import "strings"

// listed is a list of short texts without commas as a column holds it: between commas, one before
// the first and one after the last, so that one of them can be looked for.
func listed[T ~string](list []T) string {
	var b strings.Builder
	b.WriteByte(',')
	for _, one := range list {
		b.WriteString(string(one))
		b.WriteByte(',')
	}
	return b.String()
}

func unlisted[T ~string](column string) []T {
	var list []T
	for one := range strings.SplitSeq(strings.Trim(column, ","), ",") {
		if one != "" {
			list = append(list, T(one))
		}
	}
	return list
}
