"""What a person sees, without a screen: columns, filter grammar, formatting, export."""
