package simulator

import (
	"encoding/base64"
	"strconv"
)

const (
	defaultPage = 10
	largestPage = 100
)

// page cuts a list, whose items come in the order of their names, as pageSize and pageToken say.
// key is the name of the list in the answer.
func page[T any](c *call, key string, names []string, item func(string) T) (any, *failure) {
	size := defaultPage
	if text := c.query.Get("pageSize"); text != "" {
		wanted, err := strconv.ParseInt(text, 10, 32)
		if err != nil || wanted < 0 {
			return nil, badRequest("page_size", "Invalid value at 'page_size' (TYPE_INT32), %q",
				text)
		}
		if wanted > 0 {
			size = int(min(wanted, largestPage))
		}
	}
	if token := c.query.Get("pageToken"); token != "" {
		last, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil || len(last) == 0 {
			return nil, badRequest("page_token", "Invalid page token.")
		}
		start := 0
		for start < len(names) && names[start] <= string(last) {
			start++
		}
		names = names[start:]
	}
	answer := make(message)
	if len(names) > size {
		names = names[:size]
		answer["nextPageToken"] = base64.RawURLEncoding.EncodeToString([]byte(names[size-1]))
	}
	items := make([]T, 0, len(names))
	for _, name := range names {
		items = append(items, item(name))
	}
	if len(items) > 0 {
		answer[key] = items
	}
	return answer, nil
}
