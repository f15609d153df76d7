"""What other systems call a project's fields: Ghost, WordPress, Hugo, Jekyll, Strapi, Contentful, dev.to."""

_OTHER_NAMES = {
    'title': 'name headline heading subject post_title',
    'body': 'content markdown text body_markdown md post_content',
    'slug': 'permalink handle path alias post_name',
    'summary':
    'description meta_description excerpt custom_excerpt post_excerpt abstract intro subtitle teaser',
    'status': 'draft is_draft published is_published publish state visibility public private post_status',
    'published_at': 'date publish_date published_date publication_date post_date scheduled_at',
    'tags': 'categories category keywords labels topics tag_list',
    'cover_image':
    'cover feature_image featured_image featured_media hero_image header_image main_image image '
    'banner thumbnail og_image',
    'position': 'order menu_order sort_order weight rank index',
}
OTHER_NAMES = {other: name for name, others in _OTHER_NAMES.items() for other in others.split()}
