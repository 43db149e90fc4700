package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const betaDocument = `<edmx:Edmx xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx" Version="4.0">
<edmx:DataServices>
<Schema Namespace="microsoft.graph" Alias="graph" xmlns="http://docs.oasis-open.org/odata/ns/edm">
<EnumType Name="colour"><Member Name="red" Value="1"/><Member Name="blue" Value="7"/></EnumType>
<EnumType Name="sides" IsFlags="true"><Member Name="left" Value="2"/></EnumType>
<ComplexType Name="size"><Property Name="width" Type="Edm.Int32" Nullable="false"/></ComplexType>
<EntityType Name="entity" Abstract="true"><Key><PropertyRef Name="id"/></Key>
<Property Name="id" Type="Edm.String" Nullable="false"/></EntityType>
<EntityType Name="box" BaseType="microsoft.graph.entity" OpenType="true">
<Property Name="colours" Type="Collection(graph.colour)"/>
<Property Name="size" Type="graph.size"/>
<NavigationProperty Name="lids" Type="Collection(graph.lid)"/></EntityType>
<EntityType Name="gift" BaseType="graph.box"><Property Name="open" Type="graph.sides"/></EntityType>
<EntityType Name="lid" BaseType="graph.entity"/>
</Schema>
<Schema Namespace="microsoft.graph.other" xmlns="http://docs.oasis-open.org/odata/ns/edm">
<EntityType Name="box"><Property Name="wrong" Type="Edm.String"/></EntityType>
</Schema></edmx:DataServices></edmx:Edmx>`

const stableDocument = `<edmx:Edmx xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx" Version="4.0">
<edmx:DataServices>
<Schema Namespace="microsoft.graph" xmlns="http://docs.oasis-open.org/odata/ns/edm">
<EnumType Name="colour"><Member Name="red" Value="1"/></EnumType>
<EntityType Name="entity" Abstract="true"><Property Name="id" Type="Edm.String"/></EntityType>
<EntityType Name="box" BaseType="graph.entity" OpenType="true">
<Property Name="colours" Type="Collection(graph.colour)"/></EntityType>
</Schema></edmx:DataServices></edmx:Edmx>`

const wantedTable = `entity box :entity open *
 colours colour[]? *
 size size?
 lids lid[]? >
enum colour * red=1* blue=7
entity entity abstract *
 id String *
entity gift :box
 open sides?
flags sides left=2
complex size
 width Int32
`

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// tableOf runs the program as it is called.
func tableOf(t *testing.T, args ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "table.txt")
	if err := run(append(args, "-out", out)); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "# \"*\" ends what v1.0 has, too.\n")
	return table
}

func TestTableOfMetadata(t *testing.T) {
	dir := t.TempDir()
	got := tableOf(t, "-beta", write(t, dir, "beta.csdl", betaDocument),
		"-stable", write(t, dir, "stable.csdl", stableDocument),
		"-types", write(t, dir, "types", "# boxes\nbox > g*\n"))
	if got != wantedTable {
		t.Errorf("the table is\n%s", got)
	}
}

// What an SDK has beside a part of the metadata is added, and said to be null where its
// declarations say so.
func TestTableOfSDK(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "entity.go", "type Entity struct {\n    // Stores model information.\n"+
		"    res[\"id\"] = func (n x.ParseNode) error {\n        val, err := n.GetStringValue()\n")
	write(t, dir, "box.go", "type Box struct {\n    Entity\n}\n"+
		"    res[\"colours\"] = func (n x.ParseNode) error {\n"+
		"        val, err := n.GetCollectionOfEnumValues(ParseColour)\n"+
		"    res[\"weight\"] = func (n x.ParseNode) error {\n"+
		"        val, err := n.GetInt64Value()\n"+
		"    res[\"tags\"] = func (n x.ParseNode) error {\n"+
		"        val, err := n.GetCollectionOfPrimitiveValues(\"string\")\n"+
		"    res[\"lid\"] = func (n x.ParseNode) error {\n"+
		"        val, err := n.GetObjectValue(CreateLidFromDiscriminatorValue)\n")
	write(t, dir, "lid.go", "type Lid struct {\n    Entity\n}\n")
	write(t, dir, "box_collection_response.go", "type BoxCollectionResponse struct {\n"+
		"    BaseCollectionPaginationCountResponse\n")
	write(t, dir, "colour.go", "type Colour int\n    return []string{\"red\", \"blue\"}[i]\n")
	declarations := write(t, dir, "graph.d.ts", "export interface Box extends Entity {\n"+
		"    colours?: NullableOption<Colour[]>;\n    weight?: number;\n}\n"+
		"export namespace Other {\nexport interface Box {\n    tags?: string[];\n}\n}\n")
	got := tableOf(t, "-sdk", dir, "-declarations", declarations,
		"-stable", write(t, dir, "stable.csdl", stableDocument),
		"-types", write(t, dir, "types", "box*"))
	want := `entity box :entity open *
 colours colour[]? *
 weight Int64
 tags String[]?
 lid lid? >
enum colour * red=1* blue
entity entity abstract *
 id String? *
`
	if got != want {
		t.Errorf("the table is\n%s", got)
	}
}

func TestRefusals(t *testing.T) {
	dir := t.TempDir()
	beta := write(t, dir, "beta.csdl", betaDocument)
	stable := write(t, dir, "stable.csdl", stableDocument)
	types := write(t, dir, "types", "box")
	for name, args := range map[string][]string{
		"nothing given":    nil,
		"no document":      {"-beta", types, "-stable", stable, "-types", types, "-out", "x"},
		"no file":          {"-beta", dir + "/none", "-stable", stable, "-types", types, "-out", "x"},
		"an empty SDK":     {"-sdk", t.TempDir(), "-stable", stable, "-types", types, "-out", "x"},
		"an unknown type":  {"-beta", beta, "-stable", stable, "-types", stable, "-out", "x"},
		"no place for it":  {"-beta", beta, "-stable", stable, "-types", types},
		"another language": {"-sdk", dir, "-declarations", dir, "-stable", stable, "-out", "x"},
	} {
		if err := run(args); err == nil {
			t.Errorf("%s: it went well", name)
		}
	}
}
