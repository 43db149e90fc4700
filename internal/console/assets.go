package console

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"mime"
	"net/http"
	"path"
	"strings"
)

//go:embed assets/*
var assetFiles embed.FS

// assets are the files that pages refer to. Their addresses contain a hash of their content, so
// that browsers keep them for ever and never use an old one.
type assets struct {
	urls  map[string]string // by name
	files map[string]asset  // by the last part of the address
}

type asset struct {
	content     []byte
	contentType string
}

func loadAssets() *assets {
	a := &assets{urls: make(map[string]string), files: make(map[string]asset)}
	entries, err := assetFiles.ReadDir("assets")
	if err != nil {
		panic("console: " + err.Error()) // they are part of the program
	}
	for _, e := range entries {
		content, err := assetFiles.ReadFile("assets/" + e.Name())
		if err != nil {
			panic("console: " + err.Error())
		}
		ext := path.Ext(e.Name())
		sum := sha256.Sum256(content)
		file := strings.TrimSuffix(e.Name(), ext) + "." + hex.EncodeToString(sum[:8]) + ext
		a.urls[e.Name()] = "/console/assets/" + file
		a.files[file] = asset{content, contentTypes[ext]}
	}
	return a
}

// contentTypes do not come from package mime, whose answers depend on the machine.
var contentTypes = map[string]string{
	".css": mime.FormatMediaType("text/css", map[string]string{"charset": "utf-8"}),
	".js":  mime.FormatMediaType("text/javascript", map[string]string{"charset": "utf-8"}),
	".svg": "image/svg+xml",
}

// url is the address of an asset. The template engine stops at one that does not exist.
func (a *assets) url(name string) string {
	u, ok := a.urls[name]
	if !ok {
		panic("console: there is no asset " + name)
	}
	return u
}

// ServeHTTP implements http.Handler.
func (a *assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, ok := a.files[r.PathValue("file")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", f.contentType)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(f.content) // an error means that the browser has gone
}
