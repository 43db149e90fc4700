package console

import (
	"bytes"
	"embed"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/plaintext"
)

//go:embed templates/*.html
var templateFiles embed.FS

// page is what the frame around every page shows. A page's own template gets it, too, and finds
// what its handler made in Data.
type page struct {
	Title    string
	Path     string // of the request
	Sections []section
	Caller   string // empty: nobody has signed in
	Roles    string
	Now      time.Time
	Stream   string // path of the events that change this page; empty: it does not change by itself
	Data     any
}

// loadPages parses the templates: frame.html and what begins with an underscore is for all, every
// other file a page.
func loadPages(a *assets) (pages map[string]*template.Template, parts *template.Template) {
	parts = template.Must(template.New("frame").Funcs(template.FuncMap{"asset": a.url, "emphasized": emphasized}).
		ParseFS(templateFiles, "templates/frame.html", "templates/_*.html"))
	files, err := fs.Glob(templateFiles, "templates/[a-z]*.html")
	if err != nil {
		panic("console: " + err.Error()) // the pattern is malformed
	}
	pages = make(map[string]*template.Template)
	for _, file := range files {
		name := strings.TrimSuffix(path.Base(file), ".html")
		if name != "frame" {
			pages[name] = template.Must(template.Must(parts.Clone()).ParseFS(templateFiles, file))
		}
	}
	return pages, parts
}

// part is a piece of a page, from the template of this name among those for all.
func (c *console) part(name string, data any) (template.HTML, error) {
	var b bytes.Buffer
	err := c.parts.ExecuteTemplate(&b, name, data)
	return template.HTML(b.String()), err // of a template, which has escaped the data
}

// live is data whose page changes by itself.
type live interface {
	stream() string // path of its events
}

// render shows the page whose template has this name.
func (v *visit) render(name, title string, data any) error {
	return v.renderStatus(http.StatusOK, name, title, data)
}

func (v *visit) renderStatus(status int, name, title string, data any) error {
	p := page{Title: title, Path: v.r.URL.Path, Now: v.config.Now().UTC(), Data: data}
	if v.caller != nil {
		p.Caller, p.Roles = v.caller.Name, strings.Join(v.caller.RoleNames(), ", ")
		p.Sections = v.sections()
	}
	if l, ok := data.(live); ok {
		p.Stream = l.stream()
	}
	var b bytes.Buffer
	if err := v.pages[name].ExecuteTemplate(&b, "frame.html", p); err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.WriteHeader(status)
	_, _ = v.w.Write(plaintext.EscapeHTML(b.Bytes())) // an error means that the visitor has gone
	return nil
}

// Current reports whether the page shown belongs to a section of the navigation.
func (p page) Current(s section) bool {
	if s.Path == "/console/" {
		return p.Path == s.Path || strings.HasPrefix(p.Path, "/console/devices/")
	}
	return p.Path == s.Path || strings.HasPrefix(p.Path, s.Path+"/")
}

// NowMillis is the server's time, from which the script counts down.
func (p page) NowMillis() int64 { return p.Now.UnixMilli() }
