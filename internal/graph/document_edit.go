package graph

// edited is a string property as an edit: null empties it.
func (o *object) edited(name string) (*string, error) {
	value, _, err := o.text(name)
	return &value, err
}

// readers say by its name how a property is read.
type readers map[string]func(name string) error

// read reads the properties that have a reader, in the order in which the body has them. The error is that of the first
// that is wrong.
func (o *object) read(by readers) error {
	for _, name := range o.names {
		if read := by[name]; read != nil {
			if err := read(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// edits is the reader of a string property as an edit.
func (o *object) edits(into **string) func(string) error {
	return func(name string) (err error) {
		*into, err = o.edited(name)
		return err
	}
}
