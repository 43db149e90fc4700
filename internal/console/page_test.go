package console_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// page is what a browser got.
type page struct {
	*browser
	status int
	header http.Header
	url    *url.URL
	body   string
}

func (p *page) String() string { return fmt.Sprintf("%d %s\n%s", p.status, p.url, p.text()) }

func (p *page) path() string { return p.url.Path }

func (p *page) document() *html.Node {
	p.Helper()
	document, err := html.Parse(strings.NewReader(p.body))
	if err != nil {
		p.Fatal(err)
	}
	return document
}

// text is what a person reads, with single spaces.
func (p *page) text() string { return text(p.document()) }

func text(n *html.Node) string {
	var words []string
	for d := range n.Descendants() {
		if d.Type == html.TextNode && !slices.Contains([]string{"script", "style", "noscript"},
			d.Parent.Data) {
			words = append(words, strings.Fields(d.Data)...)
		}
	}
	return strings.Join(words, " ")
}

func attribute(n *html.Node, name string) (string, bool) {
	i := slices.IndexFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
	if i < 0 {
		return "", false
	}
	return n.Attr[i].Val, true
}

// all are the elements of a name.
func (p *page) all(name string) []*html.Node {
	var found []*html.Node
	for n := range p.document().Descendants() {
		if n.Type == html.ElementNode && n.Data == name {
			found = append(found, n)
		}
	}
	return found
}

// form is one of a page with the values that it would send as it stands.
type form struct {
	page           *page
	method, action string
	values         url.Values
}

// form returns the first form that leads to an action which ends so.
func (p *page) form(action string) *form {
	p.Helper()
	return p.formWhere(action, func(f *form) bool { return strings.HasSuffix(f.action, action) })
}

// formWith returns the first form that sends a value of a name.
func (p *page) formWith(name string) *form {
	p.Helper()
	return p.formWhere(name, func(f *form) bool { return f.values.Has(name) })
}

func (p *page) formWhere(what string, fits func(*form) bool) *form {
	p.Helper()
	for _, n := range p.all("form") {
		if f := p.read(n); fits(f) {
			return f
		}
	}
	p.Fatalf("there is no form with %q in %s", what, p)
	return nil
}

func (p *page) read(n *html.Node) *form {
	method, _ := attribute(n, "method")
	action, _ := attribute(n, "action")
	f := &form{p, strings.ToUpper(method), action, url.Values{}}
	for input := range n.Descendants() {
		if input.Type != html.ElementNode || input.Data != "input" {
			continue
		}
		name, _ := attribute(input, "name")
		value, _ := attribute(input, "value")
		kind, _ := attribute(input, "type")
		_, checked := attribute(input, "checked")
		if name != "" && (checked || kind != "checkbox" && kind != "radio") {
			f.values.Add(name, value)
		}
	}
	return f
}

// submit sends the form.
func (f *form) submit() *page {
	f.page.Helper()
	if f.method == http.MethodGet {
		return f.page.open(f.action + "?" + f.values.Encode())
	}
	return f.page.post(f.action, f.values, "Sec-Fetch-Site", "same-origin")
}

// set changes a value of the form.
func (f *form) set(name string, values ...string) *form {
	f.values[name] = values
	return f
}

// row is the text of the table row in which a name stands.
func (p *page) row(table, name string) string {
	p.Helper()
	for _, n := range p.all("table") {
		if class, _ := attribute(n, "class"); !slices.Contains(strings.Fields(class), table) {
			continue
		}
		for tr := range n.Descendants() {
			if tr.Data == "tr" && strings.Contains(text(tr), name) {
				return text(tr)
			}
		}
	}
	return ""
}

// link is the address of the link of a relation; empty: there is none.
func (p *page) link(rel string) string {
	for _, n := range p.all("a") {
		if r, _ := attribute(n, "rel"); r == rel {
			href, _ := attribute(n, "href")
			return href
		}
	}
	return ""
}
