package odata

import (
	"errors"
	"fmt"
	"net/http"
	"path"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/query"
)

// library is a surface of made-up things, in memory: the protocol with nothing else behind it.
type library struct {
	t       *testing.T
	service *Service
	mux     *http.ServeMux
	books   []book
}

type book struct {
	id, title, state string
	pages            int64
}

var bookProperties = Properties{{"id", String}, {"title", String}, {"pages", Int64},
	{"state", "bookState"},
	{"topics", CollectionOf(String)}}

var bookListing = &Listing{
	Filters: map[string]Comparer{
		"id": TextField("id"), "title": TextField("title"), "pages": NumberField("pages"),
		"printed": TimeField("printed"), "bound": BoolField("bound"), "topics": ListField("topics"),
		"state": Choices(map[string]query.Condition{"lent": query.Is("state", "lent")}, "lost"),
		"owner": FixedField("us"), "shop": FixedField(""), "paper": ConstField(true),
		"heirs": EmptyField{},
		"loans": loanList, "shelf/row": TextField("row"),
		"flags": FlagsField{Field: "flags", Members: []string{"new", "torn"}},
	},
	Orders: map[string]query.Field{"id": "id", "title": "title", "pages": "pages",
		"printed": "printed"},
	Search: map[string]query.Field{"title": "title"},
	Types:  map[string]query.Condition{"atlas": query.Is("kind", "atlas"), "globe": query.Any{}},
}

// loanList has two different loans.
var loanList = &ObjectList{
	Objects: []map[string]string{{"to": "Ada", "state": "open"}, {"to": "Ada", "state": "over"}},
	Members: map[string][]string{"state": {"open", "over", "lost"}},
	HasOneOf: func(objects []int) query.Condition {
		return query.Is("loans", fmt.Sprint(objects))
	},
}

// bookTerms is what there is of books elsewhere, and not in this library.
func bookTerms(of TypeName, property string) (Term, bool) {
	t, ok := map[string]Term{
		"book.loans": {Of: CollectionOf("loan")}, "book.price": {Of: Double},
		"book.shelf": {Of: "shelf"}, "shelf.row": {Of: Int32}, "shelf.kind": {Of: "kind", Defaults: []string{"open"}},
		"book.rare": {Of: Boolean}, "book.language": {Of: String}, "book.kind": {Of: "kind", Defaults: []string{"open"}},
		"atlas.scale": {Of: Int32}, "loan.until": {Of: DateTime},
	}[string(of)+"."+property]
	if !ok && of == "atlas" {
		return bookTerms("book", property)
	}
	return t, ok
}

func (b book) value(f query.Field) any {
	switch f {
	case "id":
		return b.id
	case "title":
		return b.title
	case "state":
		return b.state
	case "pages":
		return b.pages
	default:
		return "book"
	}
}

func (b book) fields() Fields {
	return Fields{{"id", b.id}, {"title", b.title}, {"pages", b.pages}, {"state", b.state},
		{"topics", []string{}}}
}

// newLibrary serves books. No body of a request may have more than maxBody bytes.
func newLibrary(t *testing.T, maxBody int64) *library {
	l := &library{t: t, mux: http.NewServeMux()}
	type operation struct {
		o       *Operation
		options []string
		handle  func(*Request) error
	}
	batch := &Batch{Serve: l, Refuse: l.refuse, Example: "/books"}
	operations := []operation{
		{&Operation{Method: "GET", Pattern: "/beta/books", Set: "books", Answers: "book",
			List: true, Casts: true}, ExpandOptions, l.list},
		{&Operation{Method: "GET", Pattern: "/v1.0/books", Set: "books", Answers: "book",
			List: true}, QueryOptions, l.list},
		{&Operation{Method: "GET", Pattern: "/beta/books/$count", Set: "books", Answers: "book"},
			CountOptions, l.list},
		{&Operation{Method: "POST", Pattern: "/beta/books", Set: "books", Answers: "book",
			Takes: "book", SetByServer: []string{"id"}}, nil, l.create},
		{&Operation{Method: "GET", Pattern: "/beta/books/{id}", Set: "books", Answers: "book"},
			[]string{OptionSelect}, l.get},
		{&Operation{Method: "PATCH", Pattern: "/beta/books/{id}", Set: "books", Answers: "book",
			Takes: "book", Conditional: true}, nil, l.update},
		{&Operation{Method: "POST", Pattern: "/beta/books/{id}/lend", Set: "books",
			Signature: Signature{Parameters: Properties{{"to", String}}, Returns: "book"}}, nil, l.lend},
		{&Operation{Method: "POST", Pattern: "/beta/$batch", Unchanging: true}, nil, batch.Reply},
		{&Operation{Method: "GET", Pattern: "/beta/$metadata"}, nil, (*Request).ReplyMetadata},
		{&Operation{Method: "GET", Pattern: "/api/books"}, []string{OptionTop, OptionSkipToken},
			l.own},
	}
	d := Definition{
		Types: []*Type{{Name: "entity", Entity: true, Abstract: true, Key: "id",
			Properties: Texts("id")},
			{Name: "book", Base: "entity", Entity: true, Properties: bookProperties.Without("id"),
				Relations: Properties{{"loans", CollectionOf("loan")}}},
			{Name: "atlas", Base: "book", Entity: true},
			{Name: "loan", Properties: Texts("to", "state"),
				Relations: Properties{{"lender", "person"}}},
			{Name: "person", Properties: Texts("name", "town")}},
		Enums:      []*Enum{Sequence("bookState", "standing", "lent", UnknownFutureValue, "lost")},
		Vocabulary: bookTerms,
	}
	for _, one := range operations {
		d.Operations = append(d.Operations, one.o)
		l.mux.Handle(one.o.Method+" "+one.o.Pattern, l.serve(one.o, one.options, one.handle))
	}
	l.service = NewService(NewModel(d), maxBody)
	return l
}

const libraryURL = "https://library.example"

func (l *library) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r = l.service.CanonicalRequest(r)
	other := &http.Request{Method: http.MethodGet, URL: r.URL, Host: r.Host}
	_, pattern := l.mux.Handler(r)
	_, readable := l.mux.Handler(other)
	switch {
	case path.Clean(r.URL.Path) != r.URL.Path, pattern == "" && readable == "":
		l.refuse(w, r, NotFound("There is nothing at '%s'.", r.URL.Path))
	case pattern == "":
		l.refuse(w, r, &Fault{Status: http.StatusMethodNotAllowed, Code: CodeMethodNotAllowed,
			Message: "Not allowed."})
	default:
		l.mux.ServeHTTP(w, r)
	}
}

func (l *library) serve(o *Operation, options []string, handle func(*Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, hr *http.Request) {
		r := l.service.NewRequest(w, hr, libraryURL)
		r.Operation = o
		err := errors.Join(r.ReadOptions(options), r.ReadCondition(), r.Negotiate())
		if err == nil {
			err = handle(r)
		}
		if err != nil {
			l.fail(r, err)
		}
	})
}

func (l *library) refuse(w http.ResponseWriter, r *http.Request, err error) {
	l.fail(l.service.NewRequest(w, r, libraryURL), err)
}

func (l *library) fail(r *Request, err error) {
	var f *Fault
	if !errors.As(err, &f) {
		l.t.Errorf("not told to the caller: %v", err)
		f = &Fault{Status: http.StatusInternalServerError, Code: CodeInternal, Message: "?"}
	}
	r.ReplyFault(f.Bounded(), time.Unix(0, 0))
}

func (l *library) list(r *Request) error {
	selected, err := r.Selected(bookProperties.Names())
	if err != nil {
		return err
	}
	expanded, err := r.Expansions("loans", "loans/lender")
	if err != nil {
		return err
	}
	return ServeList(r, "books", bookListing, nil, Computed(l.books, book.value),
		func(b book) (Fields, error) {
			return append(b.fields().Pick(selected), shownLoans(expanded)...), nil
		})
}

// shownLoans are the loans of any book.
func shownLoans(expanded []string) (f Fields) {
	if len(expanded) == 0 {
		return nil
	}
	loan := Fields{{"@odata.type", "#microsoft.graph.loan"}, {"to", "Ada"}, {"state", "open"},
		{"state@note", "!"}}
	if len(expanded) == 2 {
		loan = append(loan, Field{"lender", Fields{{"name", "Eve"}, {"town", "Ulm"}}})
	}
	return Fields{{"loans", []Fields{loan}}}
}

func (l *library) find(r *Request) (*book, error) {
	for i := range l.books {
		if l.books[i].id == r.PathValue("id") {
			r.SetTag(TagOf(l.books[i].title))
			return &l.books[i], nil
		}
	}
	return nil, NotFound("There is no such book.")
}

func (l *library) get(r *Request) error {
	selected, err := r.Selected(bookProperties.Names())
	if err != nil {
		return err
	}
	b, err := l.find(r)
	if err != nil {
		return err
	}
	return r.ReplyEntity(http.StatusOK, "books", "book", b.fields().Pick(selected))
}

func (l *library) create(r *Request) error {
	body, err := r.ReadBody()
	if err != nil {
		return err
	}
	if err := errors.Join(body.Only("title"), body.OfType("book", "atlas")); err != nil {
		return err
	}
	title, err := body.RequiredText("title")
	if err != nil {
		return err
	}
	b := book{id: fmt.Sprint(len(l.books) + 1), title: title, state: "lost", pages: 1 << 60}
	l.books = append(l.books, b)
	return r.ReplyCreated("books", b.id, "book", b.fields())
}

func (l *library) update(r *Request) error {
	body, err := r.ReadBody()
	if err != nil {
		return err
	}
	b, err := l.find(r)
	if err != nil {
		return err
	}
	var title *string
	err = errors.Join(body.Only("title"), body.Read(Readers{"title": body.Edits(&title)}),
		r.CheckMatch(TagOf(b.title)))
	if err != nil {
		return err
	}
	b.title = TextOrEmpty(title)
	r.SetTag(TagOf(b.title))
	return r.ReplyEntity(http.StatusOK, "books", "book", b.fields())
}

func (l *library) lend(r *Request) error {
	if err := r.ReadNoBody(); err != nil {
		return err
	}
	if _, err := l.find(r); err != nil {
		return err
	}
	return r.ReplyNoContent()
}

func (l *library) own(r *Request) error {
	size, err := PageSize(r.Options)
	if err != nil {
		return err
	}
	from := 0
	if err := r.ReadPosition(&from); err != nil {
		return err
	}
	var items []Fields
	for _, b := range l.books[min(from, len(l.books)):min(from+size, len(l.books))] {
		items = append(items, b.fields())
	}
	if from+size < len(l.books) {
		return r.ReplyOwnPage(items, from+size)
	}
	return r.ReplyOwnPage(items, nil)
}
