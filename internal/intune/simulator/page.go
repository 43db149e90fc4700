package simulator

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
)

// pageSize is the most that a page has, which is what public scripts see. Callers must take any.
const pageSize = 1000

// cursor is what a skip token holds. To callers it is opaque.
type cursor struct {
	Path   string `json:"p"`
	Query  string `json:"q"`
	Offset int    `json:"o"`
}

// resume takes a page up where its nextLink says. Only the token counts: nothing beside it.
func (c *call) resume() *refusal {
	text := c.query.Get("$skiptoken")
	if text == "" {
		return nil
	}
	var at cursor
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(raw, &at) != nil || at.Path != c.in.path || at.Offset < 0 {
		return badRequest("The skip token is not valid.")
	}
	query, err := url.ParseQuery(at.Query)
	if err != nil {
		return badRequest("The skip token is not valid.")
	}
	c.query, c.offset = query, at.Offset
	return nil
}

// list answers with one page of n things. Nil fits: all of them. The last page can be empty.
func (c *call) list(context string, n int, fits func(i int) bool,
	write func(b []byte, i int) []byte) (answer, *refusal) {
	size, refused := c.top(pageSize)
	if refused != nil {
		return answer{}, refused
	}
	faults := c.site.faults
	if faults.PageSizes {
		size = 1 + c.site.random.IntN(size)
	}
	at := c.offset
	if at > 0 && faults.ShiftPages {
		at = max(0, at+c.site.random.IntN(3)-1)
	}
	b := make([]byte, 0, min(size, n)*64+256)
	b = append(b, `{"@odata.context":`...)
	b = appendText(b, c.in.base+"/beta/$metadata#"+context)
	b = append(b, `,"value":[`...)
	written := 0
	for ; at < n && written < size; at++ {
		if fits != nil && !fits(at) {
			continue
		}
		if written > 0 {
			b = append(b, ',')
		}
		b = write(b, at)
		written++
	}
	b = append(b, ']')
	if at < n {
		b = append(b, `,"@odata.nextLink":`...)
		b = appendText(b, c.nextLink(at))
	}
	return jsonAnswer(append(b, '}')), nil
}

func (c *call) nextLink(offset int) string {
	base := c.in.base
	if foreign := c.site.faults.ForeignNextLink; foreign != "" {
		base = foreign
	}
	raw, _ := json.Marshal(cursor{c.in.path, c.query.Encode(), offset})
	return base + c.in.path + "?$skiptoken=" + base64.RawURLEncoding.EncodeToString(raw)
}
