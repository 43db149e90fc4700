package console_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// send posts a form with a file, as browsers do.
func (b *browser) send(path string, values url.Values, name string, file []byte) *page {
	b.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for key, list := range values {
		for _, value := range list {
			if err := w.WriteField(key, value); err != nil {
				b.Fatal(err)
			}
		}
	}
	if name != "" {
		part, err := w.CreateFormFile("file", name)
		if err == nil {
			_, err = part.Write(file)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	r, err := http.NewRequestWithContext(b.Context(), "POST", b.server.URL()+path, &body)
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	response, err := b.http.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		b.Fatal(err)
	}
	return &page{b, response.StatusCode, response.Header, response.Request.URL, string(text)}
}

// filled is the value that a control of a page has.
func (p *page) filled(name string) string {
	p.Helper()
	for _, kind := range []string{"input", "textarea", "select"} {
		for _, n := range p.all(kind) {
			if got, _ := attribute(n, "name"); got != name {
				continue
			}
			switch kind {
			case "textarea":
				return n.FirstChild.Data
			case "select":
				for option := range n.Descendants() {
					if _, chosen := attribute(option, "selected"); chosen {
						value, _ := attribute(option, "value")
						return value
					}
				}
				return ""
			}
			value, _ := attribute(n, "value")
			return value
		}
	}
	p.Fatalf("there is no control %q in %s", name, p)
	return ""
}

// has fails the test unless a page has this status and these texts.
func (p *page) has(status int, texts ...string) *page {
	p.Helper()
	if p.status != status {
		p.Errorf("status %d, want %d: %s", p.status, status, p)
	}
	for _, want := range texts {
		if !strings.Contains(p.text(), want) {
			p.Errorf("%q is missing in %s", want, p)
		}
	}
	return p
}

// hasNot fails it if a page has one of these texts.
func (p *page) hasNot(texts ...string) *page {
	p.Helper()
	for _, unwanted := range texts {
		if strings.Contains(p.text(), unwanted) {
			p.Errorf("%q is in %s", unwanted, p)
		}
	}
	return p
}

// forms are the actions of a page's forms.
func (p *page) forms() string {
	var actions []string
	for _, n := range p.all("form") {
		action, _ := attribute(n, "action")
		actions = append(actions, action)
	}
	return strings.Join(actions, " ")
}

// leads is where a link with this text leads.
func (p *page) leads(name string) string {
	p.Helper()
	for _, n := range p.all("a") {
		if strings.Contains(text(n), name) {
			to, _ := attribute(n, "href")
			return to
		}
	}
	p.Fatalf("there is no link %q in %s", name, p)
	return ""
}

// controlsHaveNames fails the test if a control of a page has no name for who cannot see it.
func (p *page) controlsHaveNames() {
	p.Helper()
	labels := map[string]bool{}
	for _, n := range p.all("label") {
		if of, ok := attribute(n, "for"); ok {
			labels[of] = true
		}
	}
	for _, kind := range []string{"input", "select", "textarea"} {
		for _, n := range p.all(kind) {
			if value, _ := attribute(n, "type"); value == "hidden" {
				continue
			}
			id, _ := attribute(n, "id")
			_, named := attribute(n, "aria-label")
			wrapped := false
			for a := range n.Ancestors() {
				wrapped = wrapped || a.Type == html.ElementNode && a.Data == "label"
			}
			if !labels[id] && !named && !wrapped {
				name, _ := attribute(n, "name")
				p.Errorf("the control %q of %s has no label", name, p.url)
			}
		}
	}
}
