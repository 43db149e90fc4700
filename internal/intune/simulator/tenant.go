package simulator

import (
	"crypto/sha1" // thumbprints that older clouds want
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"slices"
	"strings"
	"time"
)

// Tenant is one organization in the cloud, with its Intune.
type Tenant struct {
	site   *Site
	ID     string
	Name   string
	Domain string // such as contoso.onmicrosoft.com

	apps    map[string]*App
	users   []*User
	devices []*Device // as lists have them; those that left are gone
	byID    map[string]*Device
	items   []*Item
	byItem  map[string]*Item
	audits  []*audit
	windows map[string]*window
}

// AddTenant makes a tenant. Its id is made, too.
func (s *Site) AddTenant(name string) *Tenant {
	s.enter()
	defer s.mu.Unlock()
	domain := strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(name)) + ".onmicrosoft.com"
	t := &Tenant{site: s, ID: s.newID(), Name: name, Domain: domain, apps: make(map[string]*App),
		byID: make(map[string]*Device), byItem: make(map[string]*Item),
		windows: make(map[string]*window)}
	s.tenants[t.ID] = t
	s.order = append(s.order, t)
	return t
}

// App is an app registration with its secrets, certificates, and what an admin consented to.
type App struct {
	tenant       *Tenant
	ID           string // the client id
	Name         string
	secrets      map[string]time.Time // with their ends
	certificates []*x509.Certificate
	roles        []string             // application permissions
	scopes       []string             // delegated permissions; without one the app has no device code flow
	assertions   map[string]time.Time // ids that were used, with the ends of their assertions
}

// Register makes an app registration with application permissions, such as
// "DeviceManagementManagedDevices.Read.All", that an admin has consented to.
func (t *Tenant) Register(name string, roles ...string) *App {
	t.site.enter()
	defer t.site.mu.Unlock()
	a := &App{tenant: t, ID: t.site.newID(), Name: name, roles: slices.Clone(roles),
		secrets: make(map[string]time.Time), assertions: make(map[string]time.Time)}
	t.apps[a.ID] = a
	return a
}

// Grant sets the application permissions. Tokens that were given out keep theirs.
func (a *App) Grant(roles ...string) {
	a.tenant.site.enter()
	defer a.tenant.site.mu.Unlock()
	a.roles = slices.Clone(roles)
}

// GrantDelegated sets the delegated permissions, and lets people sign in by device code.
func (a *App) GrantDelegated(scopes ...string) {
	a.tenant.site.enter()
	defer a.tenant.site.mu.Unlock()
	a.scopes = slices.Clone(scopes)
}

// AddSecret makes a client secret that ends after a while.
func (a *App) AddSecret(lasts time.Duration) string {
	now := a.tenant.site.enter()
	defer a.tenant.site.mu.Unlock()
	secret := "s8Q~" + a.tenant.site.newID()
	a.secrets[secret] = now.Add(lasts)
	return secret
}

// AddCertificate takes the public part of a certificate.
func (a *App) AddCertificate(c *x509.Certificate) {
	a.tenant.site.enter()
	defer a.tenant.site.mu.Unlock()
	a.certificates = append(a.certificates, c)
}

// certificate finds a certificate by its base64url thumbprint.
func (a *App) certificate(sum256, sum1 string) *x509.Certificate {
	for _, c := range a.certificates {
		s256, s1 := sha256.Sum256(c.Raw), sha1.Sum(c.Raw)
		if sum256 == base64.RawURLEncoding.EncodeToString(s256[:]) ||
			sum1 != "" && sum1 == base64.RawURLEncoding.EncodeToString(s1[:]) {
			return c
		}
	}
	return nil
}

// User is a person of the tenant: who has devices, and who acts in the admin center.
type User struct {
	tenant *Tenant
	ID     string
	UPN    string
	tags   []string
	admin  bool
}

// AddUser makes a person without a role in Intune.
func (t *Tenant) AddUser(name string) *User { return t.addUser(name, false, nil) }

// AddAdmin makes a person whose Intune role may change assignments. With scope tags the role is
// bound to devices that have one of them.
func (t *Tenant) AddAdmin(name string, tags ...string) *User { return t.addUser(name, true, tags) }

func (t *Tenant) addUser(name string, admin bool, tags []string) *User {
	t.site.enter()
	defer t.site.mu.Unlock()
	u := &User{tenant: t, ID: t.site.newID(), UPN: name + "@" + t.Domain, admin: admin,
		tags: slices.Clone(tags)}
	t.users = append(t.users, u)
	return u
}

func (t *Tenant) user(id string) *User {
	for _, u := range t.users {
		if strings.EqualFold(u.ID, id) || strings.EqualFold(u.UPN, id) {
			return u
		}
	}
	return nil
}

// sees tells whether scope tags let a person see a device. Nil is an application, which they do not
// bind.
func (u *User) sees(d *Device) bool {
	return u == nil || len(u.tags) == 0 ||
		slices.ContainsFunc(d.tags, func(tag string) bool { return slices.Contains(u.tags, tag) })
}

// Devices are the devices that the tenant has now.
func (t *Tenant) Devices() []*Device {
	t.site.enter()
	defer t.site.mu.Unlock()
	return slices.Clone(t.devices)
}
