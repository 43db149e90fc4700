package payload

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/url"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// WebApp is the app that Google is to make of a website (AMAPI, REST resource:
// enterprises.webApps). Its title is what the payload is called.
type WebApp struct {
	URL     string `json:"url"`     // WebApp.startUrl
	Display string `json:"display"` // a WebApp.displayMode
	Icon    string `json:"icon"`    // base64url of a PNG or JPEG image; empty: a plain one
}

// Image is its icon (WebAppIcon.imageData). Google wants one.
func (a *WebApp) Image() string {
	if a.Icon != "" {
		return a.Icon
	}
	return base64.URLEncoding.EncodeToString(plainIcon(a.URL))
}

// Hash tells web apps apart that Google is to make differently.
func (a *WebApp) Hash(title string) string {
	sum := sha256.Sum256(canonicalJSON([]any{title, a}))
	return hex.EncodeToString(sum[:16])
}

// WebAppOf is the app that Google is to make for a content; nil: none.
func WebAppOf(content []byte) *WebApp {
	if !bytes.Contains(content, []byte(`"webApp":`)) { // most are not read twice
		return nil
	}
	f, _ := readFragment(content) // Compose says that it cannot be read
	return f.WebApp
}

// install makes a web app's fragment that of the app that Google made of it.
func (f *Fragment) install(made string) {
	f.Package, f.Fields = made, nil
	if made != "" {
		f.Fields = map[string]any{appPath(made, installTypeOf): "FORCE_INSTALLED"}
	}
}

// describeWebApp says what of a web app people cannot see elsewhere: its package, or why there is
// none.
func (p *part) describeWebApp() {
	switch {
	case p.listing != Wanted:
	case p.Package != "":
		p.note("Google made it as %s", p.Package)
		if p.Awaits != "" {
			p.note("%s", p.Awaits)
		}
	case p.Code != 0:
		p.leaveOut(p.Code, "%s", p.Awaits)
	default:
		p.listing = Coming
		p.entry.Listing, p.entry.Why = Coming, p.Awaits
	}
}

// webApps compiles androidManagedStoreWebApp.
type webApps struct{ apps }

// displays are Google's words for what displayMode says. Nothing said is an app of its own, as
// Google's own page makes them.
var displays = map[string]string{"": "STANDALONE", "standalone": "STANDALONE",
	"minimalUi": "MINIMAL_UI", "fullScreen": "FULL_SCREEN"}

// maxWebAddress bounds the address of a website, in bytes.
const maxWebAddress = 2000

// Compile implements catalog.Compiler. With the address of a website in appStoreUrl and without a
// package name the app is one that Google is to make; it reads displayMode and largeIcon then. Else
// it is an app as any other.
func (w webApps) Compile(ctx context.Context, form *catalog.Form, d *catalog.Draft,
	look catalog.Lookup) (*catalog.Content, error) {
	texts := make(map[string]string)
	for _, name := range []string{packageID.Name, appIdentifier.Name, appStoreURL.Name,
		displayMode} {
		text, err := catalog.Read[string](d.Properties, name, "a string")
		if err != nil {
			return nil, err
		}
		texts[name] = text
	}
	address := texts[appStoreURL.Name]
	if texts[packageID.Name]+texts[appIdentifier.Name] != "" || isPlay(address) {
		if texts[displayMode] != "" {
			return nil, &invalid.Input{Property: displayMode,
				Reason: "is for apps that Google makes of a website: leave packageId out, and " +
					"give the website's address in appStoreUrl"}
		}
		return w.apps.Compile(ctx, form, d, look)
	}
	if address == "" {
		return nil, &invalid.Input{Property: appStoreURL.Name,
			Reason: "is missing: give the address of the website, or in packageId the package " +
				"name of a web app that was made elsewhere"}
	}
	made, err := readWebApp(d, address, texts[displayMode])
	if err != nil {
		return nil, err
	}
	f := Fragment{Kind: App, WebApp: made, Fields: map[string]any{}}
	return f.content(string(d.ID), "id", subTypeApplication), nil
}

// isPlay reports whether an address is that of an app in the Play store.
func isPlay(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Hostname() == "play.google.com"
}

func readWebApp(d *catalog.Draft, address, display string) (*WebApp, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" ||
		u.User != nil || len(address) > maxWebAddress {
		return nil, &invalid.Input{Property: appStoreURL.Name, Reason: fmt.Sprintf(
			"%.60q is no address of a website: give one such as https://intranet.example.com/, "+
				"of at most %d bytes and without a password", address, maxWebAddress)}
	}
	mode, known := displays[display]
	if !known {
		return nil, &invalid.Input{Property: displayMode,
			Reason: fmt.Sprintf("%.60q is none of standalone, minimalUi, fullScreen", display)}
	}
	system, err := catalog.Read[bool](d.Properties, isSystemApp.Name, "a boolean")
	if err == nil && system {
		err = &invalid.Input{Property: isSystemApp.Name,
			Reason: "is true: an app that Google makes of a website is no part of the system"}
	}
	if err != nil {
		return nil, err
	}
	icon, err := readIcon(d.Properties)
	if err != nil {
		return nil, err
	}
	return &WebApp{URL: address, Display: mode,
		Icon: base64.URLEncoding.EncodeToString(icon)}, nil
}

// maxIcon bounds an icon, in bytes.
const maxIcon = 256 << 10

// readIcon reads largeIcon, an image that Google takes; nil: there is none.
func readIcon(props catalog.Properties) ([]byte, error) {
	given, err := catalog.Read[map[string]any](props, largeIcon, "an object with type and value")
	if err != nil || given == nil {
		return nil, err
	}
	text, _ := given["value"].(string)
	if text == "" {
		return nil, nil
	}
	wrong := func(reason string) error { return &invalid.Input{Property: largeIcon, Reason: reason} }
	if len(text) > 2*maxIcon {
		return nil, wrong(fmt.Sprintf("has more than %d bytes", maxIcon))
	}
	icon, err := catalog.DecodeBase64(text)
	switch {
	case err != nil:
		return nil, wrong(err.Error())
	case len(icon) > maxIcon:
		return nil, wrong(fmt.Sprintf("has more than %d bytes", maxIcon))
	case !bytes.HasPrefix(icon, []byte("\x89PNG\r\n\x1a\n")) &&
		!bytes.HasPrefix(icon, []byte("\xff\xd8\xff")):
		return nil, wrong("is no PNG or JPEG image, which Google wants of a web app; 512 × 512 pixels are best")
	}
	return icon, nil
}

// iconSize is how wide and high Google wants icons, in pixels.
const iconSize = 512

// plainIcon is the icon of a web app that was given none: a square whose colour its address decides.
func plainIcon(address string) []byte {
	sum := sha256.Sum256([]byte(address))
	// dark enough for the white text that launchers write beside it
	colour := color.RGBA{sum[0]/2 + 32, sum[1]/2 + 32, sum[2]/2 + 32, 255}
	square := image.NewPaletted(image.Rect(0, 0, iconSize, iconSize), color.Palette{colour})
	var file bytes.Buffer
	if err := png.Encode(&file, square); err != nil {
		panic("payload: " + err.Error()) // a buffer takes everything
	}
	return file.Bytes()
}
