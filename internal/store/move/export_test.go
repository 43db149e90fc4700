package move

// Tables are the names of the tables that are moved.
func Tables() (names []string) {
	for _, t := range movedTables() {
		names = append(names, t.name)
	}
	return names
}
